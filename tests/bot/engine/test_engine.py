"""What every engine promises: ticks, one at a time for each shard, until it is stopped."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.engine import Engine
    from bot.testing import ManualClock

pytestmark = pytest.mark.anyio


class Ticks:
    """Remembers every tick; while the gate is shut, ticks stay under way."""

    def __init__(self, pause: float = 10.0) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.cancelled: list[str] = []
        self.failing: set[str] = set()
        self.most_at_once = 0
        self.pause = pause
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, shard: str) -> float:
        """Be the tick of a shard."""
        self.begun.append(shard)
        self.most_at_once = max(self.most_at_once, self.under_way)
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
    def under_way(self) -> int:
        """How many ticks have begun and not ended."""
        return len(self.begun) - len(self.ended) - len(self.cancelled)


@asynccontextmanager
async def running(
    engine: Engine, ticks: Ticks, clock: ManualClock, concurrency: int = 9
) -> AsyncIterator[asyncio.Task[None]]:
    """Run an engine for as long as the block takes."""
    run = asyncio.create_task(engine.run(ticks, concurrency))
    await clock.advance(0)
    yield run
    ticks.gate.set()
    await engine.stop()
    await run


async def test_every_shard_is_ticked_at_once(engine: Engine, clock: ManualClock) -> None:
    """The start waits for nothing."""
    ticks = Ticks()
    engine.ensure(["a", "b"])
    async with running(engine, ticks, clock):
        assert sorted(ticks.begun) == ["a", "b"]


async def test_a_shard_is_ticked_again_when_it_said(engine: Engine, clock: ManualClock) -> None:
    """Not earlier, and again and again."""
    ticks = Ticks(pause=10)
    engine.ensure(["a"])
    async with running(engine, ticks, clock):
        await clock.advance(9.9)
        assert len(ticks.begun) == 1
        await clock.advance(0.1)
        assert len(ticks.begun) == 2
        await clock.advance(30)
        assert len(ticks.begun) == 5


async def test_a_shard_never_has_two_ticks_at_once(engine: Engine, clock: ManualClock) -> None:
    """A slow tick is not overtaken by its own next one."""
    ticks = Ticks(pause=0.1)
    ticks.gate.clear()
    engine.ensure(["a"])
    async with running(engine, ticks, clock):
        engine.ensure(["a"])
        await clock.advance(60)
        assert ticks.begun == ["a"]


async def test_no_more_ticks_are_under_way_than_allowed(engine: Engine, clock: ManualClock) -> None:
    """The others wait for their turn, and get it."""
    ticks = Ticks()
    ticks.gate.clear()
    engine.ensure("abcdef")
    async with running(engine, ticks, clock, concurrency=2):
        assert ticks.under_way == 2
        ticks.gate.set()
        await clock.advance(1)
        assert sorted(ticks.ended) == list("abcdef")
    assert ticks.most_at_once == 2


async def test_a_tick_that_raises_is_logged_and_tried_again(
    engine: Engine, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """One bad shard stops neither itself nor the others."""
    ticks = Ticks()
    ticks.failing.add("a")
    engine.ensure(["a", "b"])
    with caplog.at_level(logging.ERROR):
        async with running(engine, ticks, clock):
            await clock.advance(120)
    assert ticks.begun.count("a") >= 3
    assert ticks.begun.count("b") >= 10
    assert "the tick of a failed" in caplog.text


async def test_a_shard_that_keeps_failing_is_tried_less_and_less_often(
    engine: Engine, clock: ManualClock
) -> None:
    """A broken database is not asked a thousand times a minute."""
    ticks = Ticks()
    ticks.failing.add("a")
    engine.ensure(["a"])
    async with running(engine, ticks, clock):
        await clock.advance(60)
        first = len(ticks.begun)
        await clock.advance(60)
        assert len(ticks.begun) - first < first


async def test_a_shard_that_recovers_keeps_its_own_pace_again(
    engine: Engine, clock: ManualClock
) -> None:
    """The back-off is forgotten with the first good tick."""
    ticks = Ticks(pause=10)
    ticks.failing.add("a")
    engine.ensure(["a"])
    async with running(engine, ticks, clock):
        await clock.advance(60)
        ticks.failing.clear()
        await clock.advance(60)
        count = len(ticks.begun)
        await clock.advance(100)
        assert len(ticks.begun) - count == 10


async def test_shards_may_be_added_while_it_runs(engine: Engine, clock: ManualClock) -> None:
    """Naming one twice changes nothing."""
    ticks = Ticks()
    async with running(engine, ticks, clock):
        assert ticks.begun == []
        engine.ensure(["a"])
        engine.ensure(["a", "b"])
        await clock.advance(1)
        assert sorted(ticks.begun) == ["a", "b"]


async def test_stopping_waits_for_ticks_under_way(engine: Engine, clock: ManualClock) -> None:
    """What was begun is finished, and nothing else is begun."""
    ticks = Ticks()
    ticks.gate.clear()
    engine.ensure(["a", "b"])
    async with running(engine, ticks, clock, concurrency=1) as run:
        stop = asyncio.create_task(engine.stop())
        await clock.advance(60)
        assert not stop.done()
        ticks.gate.set()
        await stop
        await run
    assert (ticks.begun, ticks.ended, ticks.cancelled) == (["a"], ["a"], [])


async def test_stopping_cancels_ticks_that_take_too_long(hasty: Engine, clock: ManualClock) -> None:
    """A tick that hangs does not keep the process alive."""
    ticks = Ticks()
    ticks.gate.clear()
    hasty.ensure(["a"])
    run = asyncio.create_task(hasty.run(ticks, 1))
    await clock.advance(0)
    await hasty.stop()
    await run
    assert ticks.cancelled == ["a"]


async def test_stopping_does_not_wait_for_the_next_tick(engine: Engine, clock: ManualClock) -> None:
    """Shards that sleep are let go at once."""
    ticks = Ticks(pause=3600)
    engine.ensure(["a"])
    async with running(engine, ticks, clock) as run:
        await engine.stop()
        assert run.done() or await run is None
    assert ticks.begun == ["a"]


async def test_a_stopped_engine_ticks_no_more(engine: Engine, clock: ManualClock) -> None:
    """Neither the old shards nor new ones, and stopping again does no harm."""
    ticks = Ticks(pause=1)
    engine.ensure(["a"])
    async with running(engine, ticks, clock):
        pass
    engine.ensure(["b"])
    await engine.stop()
    await clock.advance(60)
    assert ticks.begun == ["a"]


async def test_an_engine_that_never_ran_can_be_stopped(engine: Engine) -> None:
    """A start that failed elsewhere is undone in the same way."""
    engine.ensure(["a"])
    await engine.stop()


async def test_a_cancelled_run_takes_its_ticks_with_it(engine: Engine, clock: ManualClock) -> None:
    """No tick outlives the engine."""
    ticks = Ticks()
    ticks.gate.clear()
    engine.ensure(["a"])
    run = asyncio.create_task(engine.run(ticks, 1))
    await clock.advance(0)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert ticks.cancelled == ["a"]
