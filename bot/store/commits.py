"""Group commit: transactions that wait for their turn share one BEGIN and one COMMIT.

Each is undone by itself if it fails, and each ends only when the shared COMMIT has ended; one that
waits for nobody shares with nobody.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.errors import StoreError
from bot.store.drivers import BEGUN_BY_DRIVER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from bot.store.inline import Connection


@dataclass
class _Group:
    """Transactions that are committed together."""

    driver: Connection
    done: asyncio.Future[None]  # when they are committed, or why they cannot be
    finishing: asyncio.Task[None] | None = None
    lost: bool = False  # SQLite has undone all of it by itself, as when the disk is full

    @contextmanager
    def part(self) -> Iterator[None]:
        """Keep what one of them writes apart, so that it can be undone alone."""
        self.driver.at_once("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self._undo()
            raise
        self.driver.at_once("RELEASE part")

    def _undo(self) -> None:
        try:
            self.driver.at_once("ROLLBACK TO part")
            self.driver.at_once("RELEASE part")
        except (sqlite3.Error, ValueError):  # ValueError: the connection is closed
            self.lost = True


class GroupCommits:
    """Gives out transactions on SQLite's one connection, in order.

    It begins and ends them itself; SQLAlchemy is left in the belief that its own goes on.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._turn = asyncio.Lock()
        self._connection: AsyncConnection | None = None
        self._group: _Group | None = None  # that takes others in
        self._finishing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """Give one transaction: committed when the block has ended, undone if it raises."""
        async with self._turn:
            connection = self._connection or await self._connect()
            group = self._group or await self._open(connection)
            try:
                with group.part():
                    yield connection
            finally:
                await self._leave(group)
        await asyncio.shield(group.done)

    async def _leave(self, group: _Group) -> None:
        """See that a group is finished; one that wrote nothing is, at once."""
        if group.lost:
            self._group = None
            await self._disconnect()
        elif group.finishing is None and not group.driver.wrote:
            self._group = None
            group.driver.at_once("COMMIT")
            group.done.set_result(None)
            return
        if group.finishing is None:
            group.finishing = asyncio.create_task(self._finish(group))
            self._finishing.add(group.finishing)
            group.finishing.add_done_callback(self._finishing.discard)

    async def close(self) -> None:
        """Wait until all is committed, and give the connection back."""
        await asyncio.gather(*self._finishing)
        await self._disconnect()

    async def _connect(self) -> AsyncConnection:
        connection = await self._engine.connect()
        await connection.execution_options(**{BEGUN_BY_DRIVER: True})
        await connection.exec_driver_sql("PRAGMA busy_timeout = 0")  # the driver waits itself
        self._connection = connection
        return connection

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _open(self, connection: AsyncConnection) -> _Group:
        """Begin a group; whoever waits for a turn when its first has had it, is in it."""
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.begin()
        self._group = _Group(driver, asyncio.get_running_loop().create_future())
        return self._group

    async def _finish(self, group: _Group) -> None:
        """Commit a group when its last has had its turn, and tell all of them."""
        async with self._turn:
            if self._group is group:
                self._group = None
            try:
                await self._commit(group)
            except Exception as error:  # noqa: BLE001  handed to those who wait for it
                group.done.set_exception(error)
                group.done.exception()  # nobody may be waiting any more
            else:
                group.done.set_result(None)

    async def _commit(self, group: _Group) -> None:
        if group.lost:
            raise StoreError("The database has undone what was being written.")
        try:
            await group.driver.commit()
        except BaseException:
            await self._disconnect()
            raise
