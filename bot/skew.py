"""A wall clock that is set wrong on purpose, so that the proof (`make chaos`) steps it.

This is the only place that reads the variable: the name of a file that holds one number, by how
many seconds the clock is ahead. In operation it is absent. Waiting is by the monotonic clock, which
nobody sets.
"""

from __future__ import annotations

import mmap
import os
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bot.sdk.clock import SystemClock

if TYPE_CHECKING:
    from bot.sdk.clock import Clock

VARIABLE = "JOBTHREAD_CLOCK_AHEAD"
_SECONDS = struct.Struct("<d")


class SkewedClock(SystemClock):
    """The machine's clock, as far ahead as a file says."""

    def __init__(self, file: Path) -> None:
        with file.open("rb") as opened:
            self._ahead = mmap.mmap(opened.fileno(), _SECONDS.size, access=mmap.ACCESS_READ)

    def now(self) -> datetime:
        """Return the moment that a clock set so wrong would show."""
        (seconds,) = _SECONDS.unpack(self._ahead)
        return datetime.now(UTC) + timedelta(seconds=seconds)


def set_ahead(file: Path, seconds: float) -> None:
    """Set the clocks that look into this file; one that is there is changed in place."""
    with file.open("r+b" if file.exists() else "wb") as opened:
        opened.write(_SECONDS.pack(seconds))


def system_clock() -> Clock:
    """Return the machine's own clock, unless the variable says otherwise."""
    name = os.environ.get(VARIABLE)
    return SkewedClock(Path(name)) if name else SystemClock()
