"""SQLite's one connection, in turns: BEGIN and COMMIT in the loop, checkpoints in a thread.

In WAL mode a COMMIT is a write of some microseconds, unless it has to copy the log into the
database and wait until the disk has both: so that is never done by a COMMIT.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from bot.store.drivers import BEGUN_BY_DRIVER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from bot.store.inline import Connection

log = logging.getLogger(__name__)

ROWS_A_CHECKPOINT = 500  # written; about the thousand pages that are SQLite's own measure


class Turns:
    """Gives out transactions on SQLite's one connection, in order.

    It begins and ends them itself; SQLAlchemy is left in the belief that its own goes on.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._turn = asyncio.Lock()
        self._connection: AsyncConnection | None = None
        self._driver: Connection | None = None
        self._checkpoint: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """Give one transaction: committed when the block has ended, undone if it raises."""
        async with self._turn:
            connection, driver = await self._opened()
            await driver.begin()
            try:
                yield connection
                driver.at_once("COMMIT")
            except BaseException:
                await self._undo(driver)
                raise
        self._tidy(driver)

    async def close(self) -> None:
        """Give the connection back, when its last checkpoint has ended."""
        if self._checkpoint is not None:
            await self._checkpoint
        async with self._turn:
            await self._disconnect()

    async def _opened(self) -> tuple[AsyncConnection, Connection]:
        if self._connection is None or self._driver is None:
            connection = await self._engine.connect()
            await connection.execution_options(**{BEGUN_BY_DRIVER: True})
            await connection.exec_driver_sql("PRAGMA busy_timeout = 0")  # the driver waits itself
            await connection.exec_driver_sql("PRAGMA wal_autocheckpoint = 0")
            raw: Any = (await connection.get_raw_connection()).driver_connection
            self._connection, self._driver = connection, raw
        return self._connection, self._driver

    async def _undo(self, driver: Connection) -> None:
        """Undo a transaction; one that SQLite has undone itself, as on a full disk, is gone."""
        try:
            driver.at_once("ROLLBACK")
        except (sqlite3.Error, ValueError):  # ValueError: the connection is closed
            await self._disconnect()

    async def _disconnect(self) -> None:
        connection, self._connection, self._driver = self._connection, None, None
        if connection is not None:
            await connection.close()

    def _tidy(self, driver: Connection) -> None:
        """See that the log does not grow without end."""
        resting = self._checkpoint is None or self._checkpoint.done()
        if resting and driver.rows_in_log > ROWS_A_CHECKPOINT:
            self._checkpoint = asyncio.create_task(self._copy_log(driver))

    async def _copy_log(self, driver: Connection) -> None:
        async with self._turn:
            if driver is not self._driver:
                return
            try:
                await driver.checkpoint()
            except sqlite3.Error as error:
                log.warning("SQLite could not copy its log: %s", type(error).__name__)
