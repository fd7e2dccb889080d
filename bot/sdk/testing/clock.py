"""Manual clock for tests."""

from __future__ import annotations

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from itertools import count

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LOOP_ITERATIONS = 20  # after each wake-up: enough for the next steps of the woken task


class ManualClock:
    """A `Clock` whose time changes only by `advance`, and its wall clock also by `step`."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._elapsed = timedelta()
        self._order = count()
        self._sleepers: list[tuple[timedelta, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """Return the current time, aware and in UTC."""
        return self._start + self._elapsed

    def monotonic(self) -> float:
        """Return the seconds by which the clock was advanced."""
        return self._elapsed.total_seconds()

    def step(self, seconds: float) -> None:
        """Set the wall clock forward, or back by a negative number; monotonic time goes on."""
        self._start += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has advanced by this time."""
        woken = asyncio.get_running_loop().create_future()
        due = self._elapsed + timedelta(seconds=max(0.0, seconds))
        if due <= self._elapsed:
            await asyncio.sleep(0)
            return
        heapq.heappush(self._sleepers, (due, next(self._order), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Advance the clock; wake the sleepers in order, and run the loop after each one."""
        end = self._elapsed + timedelta(seconds=seconds)
        await _run_loop()
        while self._sleepers and self._sleepers[0][0] <= end:
            self._elapsed = max(self._elapsed, self._sleepers[0][0])
            self._wake()
            await _run_loop()
        self._elapsed = end

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
