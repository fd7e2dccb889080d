"""SQLite connection that runs statements in the event loop; only checkpoints use its thread.

A statement takes microseconds, since its pages are in memory. aiosqlite would switch threads four
times for it, at some fifty microseconds each.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import aiosqlite

if TYPE_CHECKING:
    from collections.abc import Callable

BUSY_TIMEOUT_SECONDS = 5.0  # for the lock of another program, such as a SQLite shell
RETRY_SECONDS = 0.02
YIELD_AFTER_SECONDS = 0.005  # of consecutive statements, before other tasks run


class Connection(aiosqlite.Connection):
    """An aiosqlite connection: statements run inline, checkpoints in its thread."""

    _yielded_at = 0.0
    _rows_checkpointed = 0  # rows written before the last checkpoint

    async def begin(self) -> None:
        """Take the write lock first: SQLite can refuse to upgrade a read transaction."""
        self._yielded_at = time.monotonic()
        give_up_at = self._yielded_at + BUSY_TIMEOUT_SECONDS
        while True:
            try:
                self._conn.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                busy = (
                    error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                )  # or an extended code of it
                if not busy or time.monotonic() > give_up_at:
                    raise
            else:
                return
            await asyncio.sleep(RETRY_SECONDS)  # without blocking the loop

    async def checkpoint(self) -> None:
        """Copy the log into the database, in the thread: the disk can be slow."""
        self._rows_checkpointed = self._conn.total_changes
        await super()._execute(self._run_checkpoint)  # type: ignore[no-untyped-call]

    def _run_checkpoint(self) -> None:
        self._conn.execute(
            "PRAGMA wal_checkpoint(PASSIVE)"
        ).fetchall()  # an unread result holds locks

    @property
    def rows_since_checkpoint(self) -> int:
        """The number of rows written since the last checkpoint began."""
        return self._conn.total_changes - self._rows_checkpointed

    def execute_inline(self, sql: str) -> None:
        """Run a statement that neither reads nor writes rows."""
        self._conn.execute(sql)

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run a step of a statement; after many in a row, let other tasks run first."""
        if time.monotonic() > self._yielded_at + YIELD_AFTER_SECONDS:
            await asyncio.sleep(0)
            self._yielded_at = time.monotonic()
        return fn(*args, **kwargs)


def connect(database: str, **options: Any) -> Connection:
    """Return a connection to await; the options are those of sqlite3.connect."""
    options["check_same_thread"] = False  # both threads use it, never at the same time
    connection = Connection(lambda: sqlite3.connect(database, **options), 64)
    connection._thread.daemon = True  # noqa: SLF001  as SQLAlchemy does for its own connections
    return connection
