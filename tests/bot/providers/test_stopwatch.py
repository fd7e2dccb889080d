"""Who holds the event loop is found out."""

import asyncio

import pytest

from bot.providers import stopwatch
from bot.providers.stopwatch import Watched

pytestmark = pytest.mark.anyio


async def test_what_a_coroutine_returns_comes_through() -> None:
    """Watching changes nothing."""

    async def work() -> int:
        await asyncio.sleep(0)
        return 42

    assert await Watched(work()) == 42


async def test_what_a_coroutine_raises_comes_through() -> None:
    """An error is not swallowed."""

    async def work() -> None:
        await asyncio.sleep(0)
        raise KeyError("x")

    with pytest.raises(KeyError):
        await Watched(work())


async def test_a_cancellation_reaches_the_coroutine() -> None:
    """It can clean up, as under a plain await."""
    seen = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("cleaned up")

    async def watch() -> None:
        await Watched(work())

    task = asyncio.create_task(watch())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["cleaned up"]


async def test_waiting_is_not_holding() -> None:
    """Time spent in an await belongs to the others."""
    done = asyncio.Event()

    async def work() -> None:
        await done.wait()

    watched = Watched(work())
    asyncio.get_running_loop().call_soon(done.set)
    await watched
    assert watched.longest_step < 0.5


async def test_a_step_that_holds_the_loop_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that blocks is known by name."""
    ticks = iter([0.0, 5.0, 5.0, 5.1])
    monkeypatch.setattr(stopwatch, "monotonic", lambda: next(ticks))

    async def work() -> None:
        """Five seconds pass on the clock that is watched."""

    watched = Watched(work())
    steps = watched.__await__()
    with pytest.raises(StopIteration):
        next(steps)
    assert watched.longest_step == 5.0
