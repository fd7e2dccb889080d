"""A visit to the database while the bot has it open: to look, or to leave one question there.

Only one process may act as the bot; the lock beside the file sees to that. A visitor takes no
lock, makes no file and brings no table up to date.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import StoreError
from bot.store import drivers, failures, migrations
from bot.store.store import Transaction

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy import URL
    from sqlalchemy.ext.asyncio import AsyncConnection


@asynccontextmanager
async def visit(address: str, *, writes: bool = False) -> AsyncIterator[Transaction]:
    """Give one transaction beside the bot, if there is one; without `writes` it can only read."""
    url = drivers.parse(address)
    database_file(url)
    engine = drivers.visitors_engine(url, writes=writes)
    try:
        with failures.as_sentences(failures.of(engine)):
            async with engine.connect() as connection:
                await _restrict(connection, writes=writes)
                async with connection.begin():
                    await connection.run_sync(migrations.demand_current)
                    yield Transaction(connection)
    finally:
        await engine.dispose()


def database_file(url: URL) -> Path | None:
    """Return the file of an SQLite database, None for PostgreSQL; a StoreError if it is missing."""
    if url.get_backend_name() != "sqlite":
        return None
    file = Path(url.database or "")
    if not file.is_file():
        step = "Check store.url, or start the bot once: it makes the database."
        raise StoreError("There is no database file.", next_step=step)
    return file


async def _restrict(connection: AsyncConnection, *, writes: bool) -> None:
    if connection.dialect.name == "postgresql" and not writes:
        await connection.execution_options(postgresql_readonly=True)
