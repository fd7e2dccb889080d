"""Wall clock with an offset that another process sets; sleeps use the monotonic clock."""

from __future__ import annotations

import mmap
import struct
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.sdk.clock import SystemClock

if TYPE_CHECKING:
    from pathlib import Path

_SECONDS = struct.Struct("<d")


class SkewedClock(SystemClock):
    """The machine's clock, as many seconds ahead as a file says."""

    def __init__(self, file: Path) -> None:
        with file.open("rb") as opened:
            self._ahead = mmap.mmap(opened.fileno(), _SECONDS.size, access=mmap.ACCESS_READ)

    def now(self) -> datetime:
        """Return the time that a clock with this offset shows."""
        (seconds,) = _SECONDS.unpack(self._ahead)
        return datetime.now(UTC) + timedelta(seconds=seconds)


def set_ahead(file: Path, seconds: float) -> None:
    """Set the offset of the clocks that read this file; an existing file is changed in place."""
    with file.open("r+b" if file.exists() else "wb") as opened:
        opened.write(_SECONDS.pack(seconds))
