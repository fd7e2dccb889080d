"""Driver errors as StoreError: sentences without addresses or secrets."""

from __future__ import annotations

import errno
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.sdk.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.ext.asyncio import AsyncEngine

FULL = "The disk under the database is full."
READ_ONLY = "The database can only be read, not written."
BUSY = "Something else keeps the database locked."
CLOSED = "The database file cannot be opened."
DAMAGED = "The database file is damaged, or is not a database."
STOPPED = "The PostgreSQL server is stopping, starting, or ended the query."
UNREACHABLE = "The database cannot be reached."
REFUSED = "The database does not accept our name or password."
OPTION = "The database's address has an option that its driver does not know."
UNKNOWN = "The database refused what was asked of it; the log has its words."

NEXT_STEPS = {
    DAMAGED: "Stop the bot, put a backup in the file's place, or take the file away and rebuild"
    " its watches with `jobthread recover`.",
    UNREACHABLE: "Check store.url, and that the database runs and can be reached from here.",
    REFUSED: "Check the name and the password in store.url.",
}

# https://www.sqlite.org/rescode.html; an extended code begins with its primary one
_SQLITE = {
    "SQLITE_FULL": FULL,
    "SQLITE_READONLY": READ_ONLY,
    "SQLITE_BUSY": BUSY,
    "SQLITE_LOCKED": BUSY,
    "SQLITE_CORRUPT": DAMAGED,
    "SQLITE_NOTADB": DAMAGED,
    "SQLITE_CANTOPEN": CLOSED,
    "SQLITE_IOERR": "The database file cannot be read or written.",
}
# https://www.postgresql.org/docs/current/errcodes-appendix.html, by code or by class
_POSTGRES = {
    "53100": FULL,
    "25006": READ_ONLY,
    "40": BUSY,
    "55": BUSY,
    "28": REFUSED,
    "3D": "The PostgreSQL server has no such database.",
    "53": "The PostgreSQL server has no room for another connection.",
    "57": STOPPED,
    "08": UNREACHABLE,
}


def sentence_for(error: BaseException) -> str:
    """Return one sentence that explains a driver's error."""
    original = getattr(error, "orig", None) or error
    code = getattr(original, "sqlite_errorname", None) or ""
    state = getattr(original, "sqlstate", None) or ""
    if code:
        return next((text for name, text in _SQLITE.items() if code.startswith(name)), UNKNOWN)
    if state:
        return _POSTGRES.get(state) or _POSTGRES.get(state[:2]) or UNKNOWN
    lost = getattr(error, "connection_invalidated", False)
    if lost or isinstance(original, OSError | PoolTimeout):
        return UNREACHABLE
    return UNKNOWN


def driver_exceptions(engine: AsyncEngine) -> tuple[type[BaseException], ...]:
    """Return the exceptions that the engine raises: SQLAlchemy's and the driver's own."""
    driver: Any = getattr(engine.dialect.loaded_dbapi, "asyncpg", None)
    own = (driver.PostgresError, driver.InterfaceError) if driver else ()
    return (DBAPIError, PoolTimeout, OSError, sqlite3.Error, *own)


@contextmanager
def translate_errors(
    errors: tuple[type[BaseException], ...], sentence: str | None = None
) -> Iterator[None]:
    """Turn these errors into a StoreError, with this sentence or else a fitting one."""
    try:
        yield
    except errors as error:
        full = getattr(error, "errno", None) == errno.ENOSPC
        text = FULL if full else sentence or sentence_for(error)
        raise StoreError(text, next_step=NEXT_STEPS.get(text)) from error
