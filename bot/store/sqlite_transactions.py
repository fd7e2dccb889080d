"""Serializes SQLite transactions on one connection; runs checkpoints in its thread.

BEGIN and COMMIT run in the event loop: in WAL mode a COMMIT is a write of some microseconds. A
COMMIT that also checkpoints copies the log into the database and waits for the disk, so automatic
checkpoints are off.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from bot.store.engines import SKIP_BEGIN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from bot.store.sqlite_connection import Connection

log = logging.getLogger(__name__)

CHECKPOINT_TASK = "checkpoint"  # name of the task that runs one
ROWS_PER_CHECKPOINT = 500  # rows written; about SQLite's own default of 1,000 pages


class SerialTransactions:
    """Runs transactions on SQLite's one connection, in order of arrival.

    BEGIN and COMMIT bypass SQLAlchemy, whose own transaction stays open throughout.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._lock = asyncio.Lock()
        self._connection: AsyncConnection | None = None
        self._driver: Connection | None = None
        self._checkpoint_task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """Begin a transaction: commit at the end of the block, roll back if it raises."""
        async with self._lock:
            connection, driver = await self._connect()
            await driver.begin()
            try:
                yield connection
                driver.execute_inline("COMMIT")
            except BaseException:
                await self._roll_back(driver)
                raise
        self._checkpoint_if_needed(driver)

    async def close(self) -> None:
        """Close the connection after its last checkpoint."""
        if self._checkpoint_task is not None:
            await self._checkpoint_task
        async with self._lock:
            await self._disconnect()

    async def _connect(self) -> tuple[AsyncConnection, Connection]:
        if self._connection is None or self._driver is None:
            connection = await self._engine.connect()
            await connection.execution_options(**{SKIP_BEGIN: True})
            await connection.exec_driver_sql("PRAGMA busy_timeout = 0")  # the driver waits itself
            await connection.exec_driver_sql("PRAGMA wal_autocheckpoint = 0")
            raw: Any = (await connection.get_raw_connection()).driver_connection
            self._connection, self._driver = connection, raw
        return self._connection, self._driver

    async def _roll_back(self, driver: Connection) -> None:
        """Roll back; reconnect later if SQLite has done so itself, as on a full disk."""
        try:
            driver.execute_inline("ROLLBACK")
        except (sqlite3.Error, ValueError):  # ValueError: the connection is closed
            await self._disconnect()

    async def _disconnect(self) -> None:
        connection, self._connection, self._driver = self._connection, None, None
        if connection is not None:
            await connection.close()

    def _checkpoint_if_needed(self, driver: Connection) -> None:
        """Start a checkpoint if the log is long, so that it does not grow without limit."""
        idle = self._checkpoint_task is None or self._checkpoint_task.done()
        if idle and driver.rows_since_checkpoint > ROWS_PER_CHECKPOINT:
            self._checkpoint_task = asyncio.create_task(
                self._run_checkpoint(driver), name=CHECKPOINT_TASK
            )

    async def _run_checkpoint(self, driver: Connection) -> None:
        async with self._lock:
            if driver is not self._driver:
                return
            try:
                await driver.checkpoint()
            except sqlite3.Error as error:
                log.warning("SQLite checkpoint failed: %s", type(error).__name__)
