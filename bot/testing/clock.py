"""A clock that tests turn by hand."""

from __future__ import annotations

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from itertools import count

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TURNS = 20  # of the event loop after each wake: enough for what the sleeper does next


class ManualClock:
    """A `Clock` that stands still until `advance` is called."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._order = count()
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """Return the moment that the clock was turned to."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was turned past so many seconds from now."""
        woken = asyncio.get_running_loop().create_future()
        due = self._now + timedelta(seconds=max(0.0, seconds))
        if due <= self._now:
            await asyncio.sleep(0)
            return
        heapq.heappush(self._sleepers, (due, next(self._order), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Turn the clock; sleepers wake in order, and the loop runs after each moment."""
        end = self._now + timedelta(seconds=seconds)
        await _turn()
        while self._sleepers and self._sleepers[0][0] <= end:
            self._now = max(self._now, self._sleepers[0][0])
            self._wake()
            await _turn()
        self._now = end

    @property
    def sleepers(self) -> int:
        """How many wait for the clock to be turned."""
        return sum(not woken.done() for _, _, woken in self._sleepers)

    def _wake(self) -> None:
        _, _, woken = heapq.heappop(self._sleepers)
        if not woken.done():
            woken.set_result(None)


async def _turn() -> None:
    """Let the event loop run what is ready."""
    for _ in range(TURNS):
        await asyncio.sleep(0)
