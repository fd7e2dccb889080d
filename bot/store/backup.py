"""A copy of the database, whole and consistent, made while the bot goes on working."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import quote

from bot.errors import StoreError
from bot.store import drivers, failures
from bot.store.visit import database_file

if TYPE_CHECKING:
    from pathlib import Path


def backup(address: str, target: Path) -> int:
    """Copy an SQLite database into a new file, readable by us alone; return its size in bytes.

    The copy has its name only once it is whole and checked.
    """
    source = database_file(drivers.parse(address))
    if source is None:
        step = "Use pg_dump; pg_restore brings it back."
        raise StoreError("PostgreSQL is backed up with its own tools.", next_step=step)
    if target.exists():
        step = "Name a new one, such as one with today's date."
        raise StoreError("The file for the backup is there already.", next_step=step)
    part = target.with_name(target.name + ".part")
    unwritten = failures.as_sentences((OSError,), "The backup cannot be written.")
    with failures.as_sentences((sqlite3.Error,)), unwritten:
        _copy(source, part)
        part.rename(target)
    return target.stat().st_size


def _copy(source: Path, part: Path) -> None:
    """Write the copy and see it through to the disk; leave nothing if that fails."""
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        # A read transaction that compacts: https://www.sqlite.org/lang_vacuum.html#vacuuminto
        with closing(sqlite3.connect(f"file:{quote(str(source))}?mode=ro", uri=True)) as reading:
            reading.execute("VACUUM INTO ?", (str(part),))
        _demand_whole(part)
        os.fsync(descriptor)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def _demand_whole(part: Path) -> None:
    with closing(sqlite3.connect(part)) as copy:
        [said] = copy.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise StoreError(failures.DAMAGED, next_step=failures.NEXT_STEPS[failures.DAMAGED])
