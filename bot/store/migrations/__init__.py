"""Runs the Alembic migrations when the store is opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from bot.sdk.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection

# An arbitrary lock number, the same on every replica: only one of them migrates at a time.
_MIGRATION_LOCK = text("SELECT pg_advisory_xact_lock(1784021101)")


def upgrade(connection: Connection) -> None:
    """Run the missing migrations in the transaction of this connection."""
    if connection.dialect.name == "postgresql":
        connection.execute(_MIGRATION_LOCK)
    config = _config(connection)
    if not _is_current(connection, config):
        command.upgrade(config, "head")


def require_current(connection: Connection) -> None:
    """Raise StoreError if the tables are not those of this version; change nothing."""
    if not _is_current(connection, _config(connection)):
        step = "Start the bot once: it brings the tables up to date."
        raise StoreError("The database was written by an older jobthread.", next_step=step)


def _is_current(connection: Connection, config: Config) -> bool:
    scripts = ScriptDirectory.from_config(config)
    present = MigrationContext.configure(connection).get_current_revision()
    if present not in {None, *(script.revision for script in scripts.walk_revisions())}:
        step = "Install the newer version again, or restore a backup."
        raise StoreError("The database was written by a newer jobthread.", next_step=step)
    return present == scripts.get_current_head()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
