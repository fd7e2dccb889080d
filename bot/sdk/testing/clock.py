"""Manual clock for tests."""

from __future__ import annotations

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from itertools import count

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LOOP_ITERATIONS = 20  # after each wake-up: enough for the next steps of the woken task


class ManualClock:
    """A `Clock` whose time changes only by `advance`."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._order = count()
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """Return the current time, aware and in UTC."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has advanced by this time."""
        woken = asyncio.get_running_loop().create_future()
        due = self._now + timedelta(seconds=max(0.0, seconds))
        if due <= self._now:
            await asyncio.sleep(0)
            return
        heapq.heappush(self._sleepers, (due, next(self._order), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Advance the clock; wake the sleepers in order, and run the loop after each one."""
        end = self._now + timedelta(seconds=seconds)
        await _run_loop()
        while self._sleepers and self._sleepers[0][0] <= end:
            self._now = max(self._now, self._sleepers[0][0])
            self._wake()
            await _run_loop()
        self._now = end

    @property
    def sleepers(self) -> int:
        """Number of tasks that wait for the clock."""
        return sum(not woken.done() for _, _, woken in self._sleepers)

    def _wake(self) -> None:
        _, _, woken = heapq.heappop(self._sleepers)
        if not woken.done():
            woken.set_result(None)


async def _run_loop() -> None:
    """Let the event loop run the ready tasks."""
    for _ in range(LOOP_ITERATIONS):
        await asyncio.sleep(0)
