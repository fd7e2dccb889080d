"""Database access beside the running bot: to read, or to add one request to the inbox.

The lock file lets only one process act as the bot. A side session takes no lock, creates no file
and runs no migration.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bot.sdk.errors import StoreError
from bot.store import driver_errors, engines, migrations
from bot.store.store import Transaction

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy import URL
    from sqlalchemy.ext.asyncio import AsyncConnection


@asynccontextmanager
async def open_beside(address: str, *, writes: bool = False) -> AsyncIterator[Transaction]:
    """Begin a transaction beside the bot, which need not run; read-only unless `writes`."""
    url = engines.parse_url(address)
    database_file(url)
    engine = engines.side_engine(url, writes=writes)
    try:
        with driver_errors.translate_errors(driver_errors.driver_exceptions(engine)):
            async with engine.connect() as connection:
                await _set_read_only(connection, writes=writes)
                async with connection.begin():
                    await connection.run_sync(migrations.require_current)
                    yield Transaction(connection)
    finally:
        await engine.dispose()


def database_file(url: URL) -> Path | None:
    """Return the file of an SQLite database, None for PostgreSQL; raise StoreError if missing."""
    if url.get_backend_name() != "sqlite":
        return None
    file = Path(url.database or "")
    if not file.is_file():
        step = "Check store.url, or start the bot once: it makes the database."
        raise StoreError("There is no database file.", next_step=step)
    return file


async def _set_read_only(connection: AsyncConnection, *, writes: bool) -> None:
    if connection.dialect.name == "postgresql" and not writes:
        await connection.execution_options(postgresql_readonly=True)
