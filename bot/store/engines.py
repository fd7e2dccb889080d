"""Database engines: URLs, pragmas, pools, the lock file."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, NullPool

from bot.sdk.errors import StoreError, StoreInUse
from bot.store import sqlite_connection

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

SKIP_BEGIN = "jobthread_skip_begin"  # connection option: SQLAlchemy must not BEGIN
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_URL_HELP = "Write it as sqlite:///jobthread.db or postgresql://user@host/database."
_BUSY_TIMEOUT = (
    "PRAGMA busy_timeout = 5000"  # milliseconds; for side sessions, and while one is open
)
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    # With WAL, NORMAL cannot damage the file. A power cut may undo the last commits: Slack then
    # sends the event again, or a message is looked up in Slack before it is sent a second time.
    "PRAGMA synchronous = NORMAL",
    _BUSY_TIMEOUT,
    "PRAGMA foreign_keys = ON",  # none today; SQLite ignores them without this
)


def parse_url(address: str) -> URL:
    """Parse a database URL and choose the driver; raise StoreError if it is not supported."""
    try:
        url = make_url(address.replace("postgres://", "postgresql://", 1))
    except (ArgumentError, ValueError):
        raise StoreError("The database's address is not a URL.", next_step=_URL_HELP) from None
    database = url.get_backend_name()
    if database not in _DRIVERS:
        raise StoreError("Only SQLite and PostgreSQL are known here.", next_step=_URL_HELP)
    return _with_ssl(url.set(drivername=_DRIVERS[database]))


def create_engine(url: URL) -> AsyncEngine:
    """Return the engine for a URL, not connected yet."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url)
    try:
        return _postgres(url)
    except ModuleNotFoundError:
        step = "Install it: pip install 'jobthread[postgres]'."
        raise StoreError("PostgreSQL needs the driver asyncpg.", next_step=step) from None


def side_engine(url: URL, *, writes: bool) -> AsyncEngine:
    """Return the engine of a side session, which creates and changes no file."""
    if url.get_backend_name() != "sqlite":
        return create_engine(url)
    mode = "rw" if writes else "ro"
    name = f"file:{quote(url.database or '')}"
    side_url = url.set(database=name, query={"mode": mode, "uri": "true"})
    engine = create_async_engine(
        side_url, poolclass=NullPool, connect_args={"isolation_level": None}, hide_parameters=True
    )
    event.listen(engine.sync_engine, "connect", _set_busy_timeout)
    event.listen(engine.sync_engine, "begin", _begin_immediate if writes else _begin_reading)
    return engine


def _with_ssl(url: URL) -> URL:
    """Accept libpq's `sslmode`, which asyncpg calls `ssl`."""
    mode = url.query.get("sslmode")
    if mode is None:
        return url
    return url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})


def _sqlite(url: URL) -> AsyncEngine:
    """Return an engine with one persistent connection and explicit BEGIN and COMMIT."""
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1,
        max_overflow=0,
        pool_reset_on_return=None,  # begin() always ends in COMMIT or ROLLBACK
        connect_args={"isolation_level": None, "async_creator_fn": sqlite_connection.connect},
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "connect", _set_pragmas)
    event.listen(engine.sync_engine, "begin", _begin_immediate)
    event.listen(engine.sync_engine, "invalidate", _roll_back)
    return engine


def _set_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _set_busy_timeout(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(_BUSY_TIMEOUT)
    cursor.close()


def _begin_reading(connection: Any) -> None:
    """Read one snapshot: with WAL, readers and the writer do not wait for each other."""
    connection.exec_driver_sql("BEGIN")


def _begin_immediate(connection: Any) -> None:
    """Take the write lock first: SQLite can refuse to upgrade a read transaction."""
    if not connection.get_execution_options().get(SKIP_BEGIN):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _roll_back(connection: Any, _record: object, _error: object) -> None:
    """Release the write lock before a connection is discarded, as after a cancelled statement.

    SQLite keeps a closed connection, and its lock, as long as one of its statements is alive. A
    traceback can keep a statement alive.
    """
    connection.rollback()


def _postgres(url: URL) -> AsyncEngine:
    """Return an engine whose pool detects dead connections, with short time-outs."""
    return create_async_engine(
        url,
        pool_size=5,
        max_overflow=10,
        pool_timeout=10,  # seconds
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        hide_parameters=True,
        connect_args={
            "timeout": 10,  # seconds
            "command_timeout": 30,  # seconds
            "server_settings": {"application_name": "jobthread"},
        },
    )


class FileLock:
    """A lock file beside the database file, held while the store is open."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._path = database.with_name(database.name + ".lock")
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Create the folder and the files, readable by the owner only, and take the lock.

        A file that cannot be opened is an OSError here; aiosqlite would end its thread with a
        traceback.
        """
        self._database.parent.mkdir(parents=True, exist_ok=True)
        self._lock()
        os.close(os.open(self._database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))

    def _lock(self) -> None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            step = "Stop it, or give this one a database of its own."
            sentence = "Another jobthread has this database open."
            raise StoreInUse(sentence, next_step=step) from None
        self._descriptor = descriptor

    def release(self) -> None:
        """Release the lock; keep the file, since deleting it could let two processes in."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
