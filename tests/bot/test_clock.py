"""Waiting: until a moment, or until somebody rings."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.clock import SHORTEST_WAIT_SECONDS, Bell, SystemClock, until
from bot.testing import ManualClock

pytestmark = pytest.mark.anyio
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_without_a_moment_the_wait_is_the_longest() -> None:
    """Nothing is due: look again after a while."""
    assert until(None, NOON, 15.0) == 15.0


def test_a_wait_ends_with_its_moment_but_is_never_longer_than_the_longest() -> None:
    """What is due soon is waited for exactly; what is far, in pieces."""
    assert until(NOON + timedelta(seconds=5), NOON, 15.0) == 5.0
    assert until(NOON + timedelta(hours=5), NOON, 15.0) == 15.0


def test_a_moment_in_the_past_does_not_spin() -> None:
    """Clocks a hair apart must not make a busy loop."""
    assert until(NOON - timedelta(seconds=5), NOON, 15.0) == SHORTEST_WAIT_SECONDS


def test_the_machines_clock_is_aware_and_in_utc() -> None:
    """No time without a zone enters the house."""
    assert SystemClock().now().utcoffset() == timedelta(0)


async def test_the_machines_clock_sleeps() -> None:
    """No time at all is over at once."""
    await SystemClock().sleep(0)


async def test_a_bell_that_rings_ends_the_wait() -> None:
    """Whoever waits is woken without the clock."""
    bell = Bell(ManualClock())
    waiting = asyncio.ensure_future(bell.wait(60))
    await asyncio.sleep(0)
    bell.ring()
    assert await waiting


async def test_a_bell_rung_before_anybody_waits_wakes_the_next_one_once() -> None:
    """A ring is not lost, and not heard twice."""
    bell = Bell(ManualClock())
    bell.ring()
    assert await bell.wait(60)
    assert not await bell.wait(0)


async def test_a_silent_bell_ends_the_wait_with_its_time() -> None:
    """The clock alone ends it, and the answer says so."""
    clock = ManualClock()
    waiting = asyncio.ensure_future(Bell(clock).wait(60))
    await clock.advance(59)
    assert not waiting.done()
    await clock.advance(1)
    assert await waiting is False


async def test_nobody_sleeps_on_after_a_ring() -> None:
    """A wait that was cut short leaves nothing behind."""
    clock = ManualClock()
    bell = Bell(clock)
    waiting = asyncio.ensure_future(bell.wait(60))
    await asyncio.sleep(0)
    bell.ring()
    await waiting
    await asyncio.sleep(0)
    assert clock.sleepers == 0


async def test_a_wait_that_is_cancelled_leaves_nothing_behind() -> None:
    """A tick that ends in the middle of its wait ends wholly."""
    clock = ManualClock()
    waiting = asyncio.ensure_future(Bell(clock).wait(60))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.sleep(0)
    assert clock.sleepers == 0
