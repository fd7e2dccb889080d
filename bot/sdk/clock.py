"""Clock protocol, passed in everywhere so that tests control time; wake-up event.

Stored times are wall-clock times. Waits in memory use `monotonic`, which is never set.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Wall-clock time, monotonic time, and sleeping."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC; the clock may be set back or forward."""
        ...

    def monotonic(self) -> float:
        """Return seconds since an arbitrary moment; they grow steadily."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Sleep for this many seconds of monotonic time."""
        ...


class SystemClock:
    """The operating system's clock."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the operating system's monotonic time in seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep for this many real seconds."""
        await asyncio.sleep(seconds)


MIN_WAIT_SECONDS = 0.02  # avoids a busy loop when clocks differ slightly


def seconds_until(due_at: datetime | None, now: datetime, max_seconds: float) -> float:
    """Return the seconds until a time, at most `max_seconds`; `max_seconds` without a time."""
    if due_at is None:
        return max_seconds
    return min(max_seconds, max(MIN_WAIT_SECONDS, (due_at - now).total_seconds()))


class Wakeup:
    """Wake-up event for a worker: `wait` returns when notified, or after a timeout."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._event = asyncio.Event()

    def notify(self) -> None:
        """Wake the waiting task, or the next call of `wait`."""
        self._event.set()

    async def wait(self, seconds: float) -> bool:
        """Wait for a notification or the timeout; return whether a notification came."""
        if not self._event.is_set() and seconds > 0:
            await self._wait_for_either(seconds)
        notified = self._event.is_set()
        self._event.clear()
        return notified

    async def _wait_for_either(self, seconds: float) -> None:
        waits = {
            asyncio.ensure_future(self._event.wait()),
            asyncio.ensure_future(self._clock.sleep(seconds)),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
