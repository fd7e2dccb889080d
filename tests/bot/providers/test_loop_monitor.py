"""Measurement of how long a coroutine blocks the event loop."""

import asyncio

import pytest

from bot.providers import loop_monitor
from bot.providers.loop_monitor import MonitoredCoroutine

pytestmark = pytest.mark.anyio


async def test_result_of_the_coroutine_is_returned() -> None:
    """As by a plain await."""

    async def work() -> int:
        await asyncio.sleep(0)
        return 42

    assert await MonitoredCoroutine(work()) == 42


async def test_exception_of_the_coroutine_is_raised() -> None:
    """As by a plain await."""

    async def work() -> None:
        await asyncio.sleep(0)
        raise KeyError("x")

    with pytest.raises(KeyError):
        await MonitoredCoroutine(work())


async def test_cancellation_reaches_the_coroutine() -> None:
    """It can clean up, as under a plain await."""
    cleaned_up = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned_up.append(True)

    async def monitor() -> None:
        await MonitoredCoroutine(work())

    task = asyncio.create_task(monitor())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned_up == [True]


async def test_waiting_is_not_measured() -> None:
    """An await does not block the loop."""
    done = asyncio.Event()

    async def work() -> None:
        await done.wait()

    monitored = MonitoredCoroutine(work())
    asyncio.get_running_loop().call_soon(done.set)
    await monitored
    assert monitored.longest_step < 0.5


async def test_blocking_step_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """In seconds of the monotonic clock."""
    ticks = iter([0.0, 5.0, 5.0, 5.1])
    monkeypatch.setattr(loop_monitor, "monotonic", lambda: next(ticks))

    async def work() -> None:
        """Five seconds pass on the patched clock."""

    monitored = MonitoredCoroutine(work())
    steps = monitored.__await__()
    with pytest.raises(StopIteration):
        next(steps)
    assert monitored.longest_step == 5.0
