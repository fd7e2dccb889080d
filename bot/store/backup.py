"""SQLite backup: a complete and consistent copy while the bot runs."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import quote

from bot.sdk.errors import StoreError
from bot.store import driver_errors, engines
from bot.store.side_session import database_file

if TYPE_CHECKING:
    from pathlib import Path


def backup(address: str, target: Path) -> int:
    """Copy an SQLite database to a new file of mode 0600; return its size in bytes.

    The copy gets its name only when it is complete and checked.
    """
    source = database_file(engines.parse_url(address))
    if source is None:
        step = "Use pg_dump; pg_restore brings it back."
        raise StoreError("PostgreSQL is backed up with its own tools.", next_step=step)
    if target.exists():
        step = "Name a new one, such as one with today's date."
        raise StoreError("The file for the backup is there already.", next_step=step)
    part = target.with_name(target.name + ".part")
    write_errors = driver_errors.translate_errors((OSError,), "The backup cannot be written.")
    with driver_errors.translate_errors((sqlite3.Error,)), write_errors:
        _copy(source, part)
        part.rename(target)
    return target.stat().st_size


def _copy(source: Path, part: Path) -> None:
    """Write the copy and sync it to the disk; delete it if that fails."""
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        # A read transaction that compacts: https://www.sqlite.org/lang_vacuum.html#vacuuminto
        with closing(sqlite3.connect(f"file:{quote(str(source))}?mode=ro", uri=True)) as reader:
            reader.execute("VACUUM INTO ?", (str(part),))
        _check_integrity(part)
        os.fsync(descriptor)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def _check_integrity(part: Path) -> None:
    with closing(sqlite3.connect(part)) as copy:
        [result] = copy.execute("PRAGMA quick_check(1)").fetchone()
    if result != "ok":
        raise StoreError(
            driver_errors.DAMAGED, next_step=driver_errors.NEXT_STEPS[driver_errors.DAMAGED]
        )
