"""SQLite without a change of threads at every step: only checkpoints, which wait, have one.

A statement takes microseconds, since what it reads and writes is in memory; aiosqlite takes four
changes of threads for it, of some fifty microseconds each.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import aiosqlite

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_SECONDS = 5.0  # with somebody else's lock, such as that of a person with a SQLite shell
RETRY_SECONDS = 0.02
TURN_SECONDS = 0.005  # of many statements in a row, before others in the loop have theirs


class Connection(aiosqlite.Connection):
    """A connection of aiosqlite's that runs statements at once, and checkpoints in its thread."""

    _rested_at = 0.0
    _copied = 0  # rows written before the last checkpoint

    async def begin(self) -> None:
        """Take the write lock at once: a reader that turns writer halfway could be refused."""
        self._rested_at = time.monotonic()
        give_up_at = self._rested_at + PATIENCE_SECONDS
        while True:
            try:
                self._conn.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY  # or a kind of it
                if not busy or time.monotonic() > give_up_at:
                    raise
            else:
                return
            await asyncio.sleep(RETRY_SECONDS)  # the loop goes on meanwhile

    async def checkpoint(self) -> None:
        """Copy the log into the database, however long the disk takes."""
        self._copied = self._conn.total_changes
        await super()._execute(self._copy_log)  # type: ignore[no-untyped-call]

    def _copy_log(self) -> None:
        self._conn.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()  # unread, it holds locks

    @property
    def rows_in_log(self) -> int:
        """How many rows were written since the last checkpoint began."""
        return self._conn.total_changes - self._copied

    def at_once(self, sql: str) -> None:
        """Run a statement that neither reads nor writes rows."""
        self._conn.execute(sql)

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run a step of a statement; many in a row let others in the loop have their turn."""
        if time.monotonic() > self._rested_at + TURN_SECONDS:
            await asyncio.sleep(0)
            self._rested_at = time.monotonic()
        return fn(*args, **kwargs)


def connect(database: str, **options: Any) -> Connection:
    """Return a connection, to be awaited; the options are those of sqlite3.connect."""
    options["check_same_thread"] = False  # one step at a time, whichever thread takes it
    connection = Connection(lambda: sqlite3.connect(database, **options), 64)
    connection._thread.daemon = True  # noqa: SLF001  as SQLAlchemy does with a connection it makes
    return connection
