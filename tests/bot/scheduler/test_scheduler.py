"""Conformance of all schedulers: one tick at a time per shard, until the stop."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.scheduler import Scheduler
    from bot.sdk.testing import ManualClock

pytestmark = pytest.mark.anyio


class Ticks:
    """Records every tick; ticks wait while the gate is closed."""

    def __init__(self, pause: float = 10.0) -> None:
        self.started: list[str] = []
        self.ended: list[str] = []
        self.cancelled: list[str] = []
        self.failing: set[str] = set()
        self.max_running = 0
        self.pause = pause
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, shard: str) -> float:
        """Run one tick of a shard."""
        self.started.append(shard)
        self.max_running = max(self.max_running, self.running)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled.append(shard)
            raise
        self.ended.append(shard)
        if shard in self.failing:
            raise ValueError(shard)
        return self.pause

    @property
    def running(self) -> int:
        """The number of running ticks."""
        return len(self.started) - len(self.ended) - len(self.cancelled)


@asynccontextmanager
async def running(
    scheduler: Scheduler, ticks: Ticks, clock: ManualClock, concurrency: int = 9
) -> AsyncIterator[asyncio.Task[None]]:
    """Run a scheduler for the duration of the block."""
    run = asyncio.create_task(scheduler.run(ticks, concurrency))
    await clock.advance(0)
    yield run
    ticks.gate.set()
    await scheduler.stop()
    await run


async def test_every_shard_is_ticked_at_start(scheduler: Scheduler, clock: ManualClock) -> None:
    """The first ticks start without a delay."""
    ticks = Ticks()
    scheduler.register(["a", "b"])
    async with running(scheduler, ticks, clock):
        assert sorted(ticks.started) == ["a", "b"]


async def test_shard_is_ticked_again_after_its_pause(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    """Not earlier, and repeatedly."""
    ticks = Ticks(pause=10)
    scheduler.register(["a"])
    async with running(scheduler, ticks, clock):
        await clock.advance(9.9)
        assert len(ticks.started) == 1
        await clock.advance(0.1)
        assert len(ticks.started) == 2
        await clock.advance(30)
        assert len(ticks.started) == 5


async def test_shard_never_has_two_ticks_at_once(scheduler: Scheduler, clock: ManualClock) -> None:
    """The next tick waits for the end of a slow one."""
    ticks = Ticks(pause=0.1)
    ticks.gate.clear()
    scheduler.register(["a"])
    async with running(scheduler, ticks, clock):
        scheduler.register(["a"])
        await clock.advance(60)
        assert ticks.started == ["a"]


async def test_concurrent_ticks_are_limited(scheduler: Scheduler, clock: ManualClock) -> None:
    """Further shards wait, and are ticked later."""
    ticks = Ticks()
    ticks.gate.clear()
    scheduler.register("abcdef")
    async with running(scheduler, ticks, clock, concurrency=2):
        assert ticks.running == 2
        ticks.gate.set()
        await clock.advance(1)
        assert sorted(ticks.ended) == list("abcdef")
    assert ticks.max_running == 2


async def test_failed_tick_is_logged_and_retried(
    scheduler: Scheduler, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A failing shard stops neither itself nor the others."""
    ticks = Ticks()
    ticks.failing.add("a")
    scheduler.register(["a", "b"])
    with caplog.at_level(logging.ERROR):
        async with running(scheduler, ticks, clock):
            await clock.advance(120)
    assert ticks.started.count("a") >= 3
    assert ticks.started.count("b") >= 10
    assert "tick of a failed" in caplog.text


async def test_failing_shard_backs_off(scheduler: Scheduler, clock: ManualClock) -> None:
    """Retries become less frequent."""
    ticks = Ticks()
    ticks.failing.add("a")
    scheduler.register(["a"])
    async with running(scheduler, ticks, clock):
        await clock.advance(60)
        first = len(ticks.started)
        await clock.advance(60)
        assert len(ticks.started) - first < first


async def test_backoff_is_reset_by_a_successful_tick(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    """The shard returns to its own interval."""
    ticks = Ticks(pause=10)
    ticks.failing.add("a")
    scheduler.register(["a"])
    async with running(scheduler, ticks, clock):
        await clock.advance(60)
        ticks.failing.clear()
        await clock.advance(60)
        count = len(ticks.started)
        await clock.advance(100)
        assert len(ticks.started) - count == 10


async def test_shards_can_be_added_while_running(scheduler: Scheduler, clock: ManualClock) -> None:
    """Adding a shard twice has no effect."""
    ticks = Ticks()
    async with running(scheduler, ticks, clock):
        assert ticks.started == []
        scheduler.register(["a"])
        scheduler.register(["a", "b"])
        await clock.advance(1)
        assert sorted(ticks.started) == ["a", "b"]


async def test_stop_waits_for_running_ticks(scheduler: Scheduler, clock: ManualClock) -> None:
    """Running ticks finish, and no other one starts."""
    ticks = Ticks()
    ticks.gate.clear()
    scheduler.register(["a", "b"])
    async with running(scheduler, ticks, clock, concurrency=1) as run:
        stop = asyncio.create_task(scheduler.stop())
        await clock.advance(60)
        assert not stop.done()
        ticks.gate.set()
        await stop
        await run
    assert (ticks.started, ticks.ended, ticks.cancelled) == (["a"], ["a"], [])


async def test_stop_cancels_ticks_after_the_grace_period(
    scheduler_without_grace: Scheduler, clock: ManualClock
) -> None:
    """A hanging tick does not keep the process alive."""
    ticks = Ticks()
    ticks.gate.clear()
    scheduler_without_grace.register(["a"])
    run = asyncio.create_task(scheduler_without_grace.run(ticks, 1))
    await clock.advance(0)
    await scheduler_without_grace.stop()
    await run
    assert ticks.cancelled == ["a"]


async def test_stop_does_not_wait_for_the_next_tick(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    """Waiting shards are cancelled at once."""
    ticks = Ticks(pause=3600)
    scheduler.register(["a"])
    async with running(scheduler, ticks, clock) as run:
        await scheduler.stop()
        assert run.done() or await run is None
    assert ticks.started == ["a"]


async def test_stopped_scheduler_starts_no_ticks(scheduler: Scheduler, clock: ManualClock) -> None:
    """Neither old nor new shards are ticked, and a second stop is harmless."""
    ticks = Ticks(pause=1)
    scheduler.register(["a"])
    async with running(scheduler, ticks, clock):
        pass
    scheduler.register(["b"])
    await scheduler.stop()
    await clock.advance(60)
    assert ticks.started == ["a"]


async def test_scheduler_that_never_ran_can_be_stopped(scheduler: Scheduler) -> None:
    """A failed start elsewhere is undone in the same way."""
    scheduler.register(["a"])
    await scheduler.stop()


async def test_cancelled_run_cancels_its_ticks(scheduler: Scheduler, clock: ManualClock) -> None:
    """No tick outlives the scheduler."""
    ticks = Ticks()
    ticks.gate.clear()
    scheduler.register(["a"])
    run = asyncio.create_task(scheduler.run(ticks, 1))
    await clock.advance(0)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert ticks.cancelled == ["a"]
