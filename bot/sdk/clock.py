"""Clock protocol, passed in everywhere so that tests control time; wake-up event."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Wall-clock time, and sleeping by it."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Sleep for this many seconds of this clock."""
        ...


class SystemClock:
    """The operating system's clock."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Sleep for this many real seconds."""
        await asyncio.sleep(seconds)


SHORTEST_WAIT_SECONDS = 0.02  # avoids a busy loop when clocks differ slightly


def until(moment: datetime | None, now: datetime, longest: float) -> float:
    """Return the seconds from now until a time, at most `longest`; `longest` without a time."""
    if moment is None:
        return longest
    return min(longest, max(SHORTEST_WAIT_SECONDS, (moment - now).total_seconds()))


class Bell:
    """Wake-up event for a worker: `wait` returns when notified, or after a timeout."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._event = asyncio.Event()

    def ring(self) -> None:
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
