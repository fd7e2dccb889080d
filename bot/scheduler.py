"""Scheduler: ticks each shard repeatedly; guards stored due times against clock steps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from bot.sdk.backoff import JITTER, Jitter, backoff
from bot.sdk.errors import origin

if TYPE_CHECKING:
    from bot.sdk.clock import Clock
    from bot.store import Store

log = logging.getLogger(__name__)

INITIAL_BACKOFF_SECONDS = 2.0  # at most, after the first failed tick
MAX_BACKOFF_SECONDS = 60.0  # between the ticks of a shard that keeps failing

CHECK_SECONDS = 5.0  # between comparisons of the clocks
MAX_WAIT_SECONDS = 900.0  # longest intended wait, unless the poll interval is longer
MIN_STEP_SECONDS = 2.0  # less is an adjustment, not a step
MAX_WAIT_AFTER_STEP_SECONDS = 60.0  # longest wait of any row after a step back
LEASE_SECONDS = 30.0  # of a claimed message

Tick = Callable[[str], Awaitable[float]]
"""One quantum of a shard's work; returns the seconds until the shard's next tick."""


class Scheduler(Protocol):
    """Guarantees liveness only: ticks must be safe to repeat."""

    def register(self, shards: Iterable[str]) -> None:
        """Tick these shards, too; may be called repeatedly, before and during `run`."""
        ...

    async def run(self, handler: Tick, concurrency: int) -> None:
        """Tick until `stop`: one tick at a time per shard, at most `concurrency` in all.

        A tick that raises is logged and retried with backoff.
        """
        ...

    async def stop(self) -> None:
        """Start no more ticks, give running ones a few seconds, and end `run`."""
        ...


class LocalScheduler:
    """Scheduler for a single process, without persistent state."""

    def __init__(
        self, clock: Clock, *, grace_seconds: float = 5.0, jitter: Jitter = JITTER
    ) -> None:
        self._clock = clock
        self._jitter = jitter
        # Real seconds for running ticks at the end, as they may wait for something else than clock.
        self._grace = grace_seconds
        self._tick: Tick | None = None
        self._slots = asyncio.Semaphore()
        self._shard_tasks: dict[str, asyncio.Task[None] | None] = {}
        self._running: set[str] = set()
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()

    def register(self, shards: Iterable[str]) -> None:
        """Tick these shards, too."""
        for shard in shards:
            self._shard_tasks.setdefault(shard, None)
        self._start()

    async def run(self, handler: Tick, concurrency: int) -> None:
        """Tick until `stop`: one tick at a time per shard, at most `concurrency` in all."""
        self._tick, self._slots = handler, asyncio.Semaphore(concurrency)
        try:
            self._start()
            await self._stopping.wait()
            await self._finish_ticks()
        finally:
            self._stopping.set()
            await _cancel(self._tasks())
            self._ended.set()

    async def stop(self) -> None:
        """Start no more ticks, give running ones a few seconds, and end `run`."""
        self._stopping.set()
        if self._tick is not None:
            await self._ended.wait()

    def _start(self) -> None:
        """Start a task for each shard without one, once `run` was called."""
        if self._tick is None or self._stopping.is_set():
            return
        for shard in [shard for shard, task in self._shard_tasks.items() if task is None]:
            self._shard_tasks[shard] = asyncio.create_task(
                self._run_shard(shard, self._tick), name=shard
            )

    async def _run_shard(self, shard: str, tick: Tick) -> None:
        """Tick one shard in a loop, with the pause that each tick returns."""
        failures = 0
        while not self._stopping.is_set():
            async with self._slots:
                pause = await self._tick_once(shard, tick)
            failures = failures + 1 if pause is None else 0
            if self._stopping.is_set():
                return
            if pause is None:
                pause = backoff(
                    failures - 1, INITIAL_BACKOFF_SECONDS, MAX_BACKOFF_SECONDS, self._jitter
                )
            await self._clock.sleep(max(0.0, pause))

    async def _tick_once(self, shard: str, tick: Tick) -> float | None:
        """Return the seconds until the next tick, or None if this one raised."""
        self._running.add(shard)
        try:
            return await tick(shard)
        except Exception as error:  # noqa: BLE001  the edge of a tick
            log.error("tick of %s failed, retrying: %s", shard, origin(error))
            return None
        finally:
            self._running.discard(shard)

    async def _finish_ticks(self) -> None:
        """Cancel waiting shards at once; let running ticks finish within the grace period."""
        await _cancel([task for task in self._tasks() if task.get_name() not in self._running])
        pending = [task for task in self._tasks() if not task.done()]
        if pending:
            await asyncio.wait(pending, timeout=self._grace)

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [task for task in self._shard_tasks.values() if task is not None]


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait for their end."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class ClockStepGuard:
    """Compares the wall clock with the monotonic clock; makes rows due that wait too long.

    Due times are stored as wall-clock times. After the clock is set back, by a time server or a
    person, every row would wait for as long as the step.
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        poll_seconds: float,
        wake_workers: Callable[[], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._wake_workers = wake_workers  # after rows were made due
        self._last_seen: tuple[datetime, float] | None = None

    async def tick(self) -> float:
        """Compare the clocks; return the seconds until the next comparison."""
        now = self._clock.now()
        stepped = self._stepped_back(now)
        longest = MAX_WAIT_AFTER_STEP_SECONDS if stepped else MAX_WAIT_SECONDS
        latest = now + timedelta(seconds=max(longest, self._poll_seconds))
        async with self._store.begin() as tx:
            count = await tx.due_times.pull_forward(
                now, latest=latest, reclaim_at=now + timedelta(seconds=LEASE_SECONDS)
            )
        if count:
            log.warning("the clock was set back: %s rows are due now", count)
            self._wake_workers()
        return CHECK_SECONDS

    def _stepped_back(self, now: datetime) -> bool:
        """Return whether the clock was set back since the last comparison."""
        before, self._last_seen = self._last_seen, (now, self._clock.monotonic())
        if before is None:
            return False
        elapsed = self._last_seen[1] - before[1]
        return (now - before[0]).total_seconds() < elapsed - MIN_STEP_SECONDS
