"""Waiting: until a due time or a notification."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.sdk.clock import MIN_WAIT_SECONDS, SystemClock, Wakeup, seconds_until
from bot.sdk.testing import ManualClock

pytestmark = pytest.mark.anyio
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_wait_without_a_due_time_is_the_longest() -> None:
    """Nothing is due: poll again later."""
    assert seconds_until(None, NOON, 15.0) == 15.0


def test_wait_ends_at_the_due_time_or_the_maximum() -> None:
    """A near time is met exactly; a far one in several waits."""
    assert seconds_until(NOON + timedelta(seconds=5), NOON, 15.0) == 5.0
    assert seconds_until(NOON + timedelta(hours=5), NOON, 15.0) == 15.0


def test_due_time_in_the_past_does_not_spin() -> None:
    """Slightly different clocks must not cause a busy loop."""
    assert seconds_until(NOON - timedelta(seconds=5), NOON, 15.0) == MIN_WAIT_SECONDS


def test_system_clock_is_aware_and_in_utc() -> None:
    """No naive time enters the program."""
    assert SystemClock().now().utcoffset() == timedelta(0)


async def test_system_clock_sleeps() -> None:
    """Zero seconds end at once."""
    await SystemClock().sleep(0)


async def test_notification_ends_the_wait() -> None:
    """Without the clock."""
    wakeup = Wakeup(ManualClock())
    waiting = asyncio.ensure_future(wakeup.wait(60))
    await asyncio.sleep(0)
    wakeup.notify()
    assert await waiting


async def test_earlier_notification_ends_only_the_next_wait() -> None:
    """It is not lost, and not delivered twice."""
    wakeup = Wakeup(ManualClock())
    wakeup.notify()
    assert await wakeup.wait(60)
    assert not await wakeup.wait(0)


async def test_timeout_ends_the_wait() -> None:
    """The result says that no notification came."""
    clock = ManualClock()
    waiting = asyncio.ensure_future(Wakeup(clock).wait(60))
    await clock.advance(59)
    assert not waiting.done()
    await clock.advance(1)
    assert await waiting is False


async def test_notification_leaves_no_sleeping_task() -> None:
    """The wait cancels its timeout."""
    clock = ManualClock()
    wakeup = Wakeup(clock)
    waiting = asyncio.ensure_future(wakeup.wait(60))
    await asyncio.sleep(0)
    wakeup.notify()
    await waiting
    await asyncio.sleep(0)
    assert clock.sleepers == 0


async def test_cancelled_wait_leaves_no_sleeping_task() -> None:
    """A cancelled tick ends completely."""
    clock = ManualClock()
    waiting = asyncio.ensure_future(Wakeup(clock).wait(60))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.sleep(0)
    assert clock.sleepers == 0
