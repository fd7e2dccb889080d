"""Manual clock."""

import asyncio
from datetime import timedelta

import pytest

from bot.sdk.testing import ManualClock

pytestmark = pytest.mark.anyio


async def test_sleeper_wakes_when_the_clock_reaches_its_time() -> None:
    """Not a second before."""
    clock = ManualClock()
    sleeper = asyncio.ensure_future(clock.sleep(10))
    await clock.advance(9)
    assert not sleeper.done()
    await clock.advance(1)
    assert sleeper.done()


async def test_sleepers_wake_in_the_order_of_their_times() -> None:
    """Each one sees the time for which it waited; the order of the calls does not matter."""
    clock, woken = ManualClock(), list[tuple[float, float]]()

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, (clock.now() - start).total_seconds()))

    start = clock.now()
    sleepers = [asyncio.ensure_future(sleep(seconds)) for seconds in (30, 10, 20)]
    await clock.advance(60)
    assert woken == [(10, 10.0), (20, 20.0), (30, 30.0)]
    await asyncio.gather(*sleepers)


async def test_loop_of_sleeps_runs_within_one_advance() -> None:
    """It runs as often as with a real clock."""
    clock, iterations = ManualClock(), 0

    async def loop() -> None:
        nonlocal iterations
        while True:
            await clock.sleep(5)
            iterations += 1

    task = asyncio.ensure_future(loop())
    await clock.advance(26)
    task.cancel()
    assert iterations == 5


async def test_cancelled_sleeper_does_not_stop_the_clock() -> None:
    """The clock skips it."""
    clock = ManualClock()
    sleeper = asyncio.ensure_future(clock.sleep(1))
    await asyncio.sleep(0)
    sleeper.cancel()
    before = clock.now()
    await clock.advance(2)
    assert clock.now() - before == timedelta(seconds=2)
    assert clock.sleepers == 0


async def test_sleep_of_zero_seconds_does_not_wait_for_the_clock() -> None:
    """It only yields to the event loop."""
    await ManualClock().sleep(0)


@pytest.mark.parametrize("step", [-3_600.0, 3_600.0])
async def test_step_changes_the_wall_clock_only(step: float) -> None:
    """Monotonic time and sleeps go on as before."""
    clock = ManualClock()
    before = clock.now()
    sleep = asyncio.ensure_future(clock.sleep(10))
    await clock.advance(4)
    clock.step(step)
    assert (clock.now() - before).total_seconds() == 4 + step
    assert clock.monotonic() == 4
    await clock.advance(5.9)
    assert not sleep.done()
    await clock.advance(0.1)
    assert sleep.done()
