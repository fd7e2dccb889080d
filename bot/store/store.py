"""Opens the database and provides transactions."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bot.sdk.errors import StoreError
from bot.store import driver_errors, engines, migrations
from bot.store.boards import Boards
from bot.store.channel_settings import ChannelSettingsTable
from bot.store.dead_letters import DeadLetters
from bot.store.decisions import Decisions
from bot.store.due_times import DueTimes
from bot.store.inbox import Inbox
from bot.store.jobs import Jobs
from bot.store.metrics import Metrics
from bot.store.outbox import Outbox
from bot.store.sqlite_transactions import SerialTransactions
from bot.store.watches import Watches

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


class Transaction:
    """One transaction: all writes through its attributes commit or roll back together."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.inbox = Inbox(connection)
        self.outbox = Outbox(connection)
        self.watches = Watches(connection)
        self.jobs = Jobs(connection)
        self.dead_letters = DeadLetters(connection)
        self.metrics = Metrics(connection)
        self.boards = Boards(connection)
        self.channel_settings = ChannelSettingsTable(connection)
        self.decisions = Decisions(connection)
        self.due_times = DueTimes(connection)

    @property
    def connection(self) -> AsyncConnection:
        """The connection of the transaction, for statements that no table offers."""
        return self._connection


class Store:
    """The bot's durable state, in SQLite or PostgreSQL.

    `exclusive`: only this process can have the store open.
    """

    def __init__(self, url: str) -> None:
        self._url = engines.parse_url(url)
        self.exclusive = self._url.get_backend_name() == "sqlite"
        self._lock: engines.FileLock | None = None
        self._engine: AsyncEngine | None = None
        self._transactions: SerialTransactions | None = (
            None  # SQLite only: runs one transaction at a time
        )

    def __repr__(self) -> str:
        return f"<Store {self._url.get_backend_name()}, {'open' if self._engine else 'closed'}>"

    async def open(self) -> None:
        """Open the database and migrate its tables; raise StoreError if that fails."""
        engine = engines.create_engine(self._url)
        try:
            self._acquire_lock()
            with driver_errors.translate_errors(driver_errors.driver_exceptions(engine)):
                with driver_errors.translate_errors((TypeError,), driver_errors.OPTION):
                    await (await engine.connect()).close()
                async with engine.begin() as connection:
                    await _check_integrity(connection)
                    await connection.run_sync(migrations.upgrade)
        except BaseException:
            await engine.dispose()
            self._release_lock()
            raise
        self._engine = engine
        self._transactions = SerialTransactions(engine) if self.exclusive else None

    async def close(self) -> None:
        """Close the database; a second call has no effect."""
        engine, self._engine = self._engine, None
        if self._transactions is not None:
            await self._transactions.close()
        if engine is not None:
            await engine.dispose()
        self._release_lock()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        """Begin a transaction: commit at the end of the block, roll back if it raises.

        Make only store calls in the block: on SQLite all other transactions wait for it, and a
        nested `begin` never returns.
        """
        if self._engine is None:
            raise StoreError("The database is not open.")
        with driver_errors.translate_errors(driver_errors.driver_exceptions(self._engine)):
            async with (self._transactions or self._engine).begin() as connection:
                yield Transaction(connection)

    def _acquire_lock(self) -> None:
        """Create the database file and lock it against other processes."""
        name = self._url.database
        if not self.exclusive or name is None or name in {"", ":memory:"}:
            return
        self._lock = engines.FileLock(Path(name))
        with driver_errors.translate_errors((OSError,), driver_errors.CLOSED):
            self._lock.acquire()

    def _release_lock(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()


async def _check_integrity(connection: AsyncConnection) -> None:
    """Refuse a damaged SQLite file; PostgreSQL checks its own files."""
    if connection.dialect.name != "sqlite":
        return
    result = await connection.exec_driver_sql("PRAGMA quick_check(1)")
    if result.scalar() != "ok":
        sentence = driver_errors.DAMAGED
        raise StoreError(sentence, next_step=driver_errors.NEXT_STEPS[sentence])
