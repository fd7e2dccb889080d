"""What time it is: passed in everywhere, so that tests turn the clock by hand."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Wall time, and waiting on it."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds of this clock."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait for so many real seconds."""
        await asyncio.sleep(seconds)


SHORTEST_WAIT_SECONDS = 0.02  # so that clocks a hair apart do not spin


def until(moment: datetime | None, now: datetime, longest: float) -> float:
    """Return the seconds from now until a moment, or the longest wait if there is none."""
    if moment is None:
        return longest
    return min(longest, max(SHORTEST_WAIT_SECONDS, (moment - now).total_seconds()))


class Bell:
    """Wakes whoever waits for work: rung when there is some, or silent until the time is over."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake the one who waits, or the next one who comes to wait."""
        self._rung.set()

    async def wait(self, seconds: float) -> bool:
        """Wait until the bell is rung or so many seconds have passed; return whether it rang."""
        if not self._rung.is_set() and seconds > 0:
            await self._first(seconds)
        rang = self._rung.is_set()
        self._rung.clear()
        return rang

    async def _first(self, seconds: float) -> None:
        waits = {
            asyncio.ensure_future(self._rung.wait()),
            asyncio.ensure_future(self._clock.sleep(seconds)),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
