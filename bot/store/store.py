"""The store: opens the database, and gives out transactions."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import StoreError
from bot.store import drivers, failures, migrations
from bot.store.ahead import Ahead
from bot.store.boards import Boards
from bot.store.contracts import Contracts
from bot.store.decisions import Decisions
from bot.store.gauges import Gauges
from bot.store.inbox import Inbox
from bot.store.jobs import Jobs
from bot.store.outbox import Outbox
from bot.store.parked import Parked
from bot.store.turns import Turns
from bot.store.watches import Watches

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


class Transaction:
    """One transaction: what is written through its parts is written together or not at all."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.inbox = Inbox(connection)
        self.outbox = Outbox(connection)
        self.watches = Watches(connection)
        self.jobs = Jobs(connection)
        self.parked = Parked(connection)
        self.gauges = Gauges(connection)
        self.boards = Boards(connection)
        self.contracts = Contracts(connection)
        self.decisions = Decisions(connection)
        self.ahead = Ahead(connection)


class Store:
    """What the bot must not forget, in SQLite or PostgreSQL.

    `exclusive` tells whether this process is the only one that can have the store open.
    """

    def __init__(self, url: str) -> None:
        self._url = drivers.parse(url)
        self.exclusive = self._url.get_backend_name() == "sqlite"
        self._lock: drivers.FileLock | None = None
        self._engine: AsyncEngine | None = None
        self._turns: Turns | None = None  # on SQLite, whose writers wait in order

    def __repr__(self) -> str:
        return f"<Store {self._url.get_backend_name()}, {'open' if self._engine else 'closed'}>"

    async def open(self) -> None:
        """Open the database and bring its tables up to date; a StoreError says why not."""
        engine = drivers.engine_for(self._url)
        try:
            self._take_lock()
            with failures.as_sentences(failures.of(engine)):
                with failures.as_sentences((TypeError,), failures.OPTION):
                    await (await engine.connect()).close()
                async with engine.begin() as connection:
                    await _demand_whole(connection)
                    await connection.run_sync(migrations.upgrade)
        except BaseException:
            await engine.dispose()
            self._give_lock_back()
            raise
        self._engine = engine
        self._turns = Turns(engine) if self.exclusive else None

    async def close(self) -> None:
        """Close the database; closing twice does no harm."""
        engine, self._engine = self._engine, None
        if self._turns is not None:
            await self._turns.close()
        if engine is not None:
            await engine.dispose()
        self._give_lock_back()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        """Give one transaction: committed at the end of the block, undone if it raises.

        Only calls to the store belong in the block: on SQLite everybody else waits for it, and a
        second `begin` inside it waits for ever.
        """
        if self._engine is None:
            raise StoreError("The database is not open.")
        with failures.as_sentences(failures.of(self._engine)):
            async with (self._turns or self._engine).begin() as connection:
                yield Transaction(connection)

    def _take_lock(self) -> None:
        """Make the database file, and keep every other process out of it."""
        name = self._url.database
        if not self.exclusive or name is None or name in {"", ":memory:"}:
            return
        self._lock = drivers.FileLock(Path(name))
        with failures.as_sentences((OSError,), failures.CLOSED):
            self._lock.take()

    def _give_lock_back(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.give_back()


async def _demand_whole(connection: AsyncConnection) -> None:
    """Refuse an SQLite file whose pages do not fit together; PostgreSQL sees to its own."""
    if connection.dialect.name != "sqlite":
        return
    result = await connection.exec_driver_sql("PRAGMA quick_check(1)")
    if result.scalar() != "ok":
        said = failures.DAMAGED
        raise StoreError(said, next_step=failures.NEXT_STEPS[said])
