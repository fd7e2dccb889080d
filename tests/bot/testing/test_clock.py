"""The clock that tests turn by hand."""

import asyncio
from datetime import timedelta

import pytest

from bot.testing import ManualClock

pytestmark = pytest.mark.anyio


async def test_a_sleeper_wakes_when_the_clock_is_turned_past_its_time() -> None:
    """Waiting ends by turning the clock, and not a second before."""
    clock = ManualClock()
    sleeper = asyncio.ensure_future(clock.sleep(10))
    await clock.advance(9)
    assert not sleeper.done()
    await clock.advance(1)
    assert sleeper.done()


async def test_sleepers_wake_in_the_order_of_their_times() -> None:
    """Each sees the moment for which it waited, whoever went to sleep first."""
    clock, woken = ManualClock(), list[tuple[float, float]]()

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, (clock.now() - start).total_seconds()))

    start = clock.now()
    sleepers = [asyncio.ensure_future(sleep(seconds)) for seconds in (30, 10, 20)]
    await clock.advance(60)
    assert woken == [(10, 10.0), (20, 20.0), (30, 30.0)]
    await asyncio.gather(*sleepers)


async def test_a_sleeper_that_sleeps_again_wakes_again_within_one_turn() -> None:
    """A loop of naps runs as often as it would have."""
    clock, naps = ManualClock(), 0

    async def nap() -> None:
        nonlocal naps
        while True:
            await clock.sleep(5)
            naps += 1

    napper = asyncio.ensure_future(nap())
    await clock.advance(26)
    napper.cancel()
    assert naps == 5


async def test_a_cancelled_sleeper_does_not_stop_the_clock() -> None:
    """The clock goes past those who gave up."""
    clock = ManualClock()
    sleeper = asyncio.ensure_future(clock.sleep(1))
    await asyncio.sleep(0)
    sleeper.cancel()
    before = clock.now()
    await clock.advance(2)
    assert clock.now() - before == timedelta(seconds=2)
    assert clock.sleepers == 0


async def test_sleeping_no_time_does_not_wait_for_the_clock() -> None:
    """A sleep of zero seconds only gives way."""
    await ManualClock().sleep(0)
