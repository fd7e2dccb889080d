"""Deadline: run time and queue time have separate limits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.providers.deadline import Deadline, acquire_slot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    Advance = Callable[[float], Awaitable[None]]

pytestmark = pytest.mark.anyio
RUN_SECONDS, QUEUE_SECONDS = 60.0, 45.0


@pytest.fixture
def advance(monkeypatch: pytest.MonkeyPatch) -> Iterator[Advance]:
    """Advances the event loop's clock, which timeouts use."""
    elapsed = 0.0

    async def advance_(seconds: float) -> None:
        nonlocal elapsed
        if not elapsed:
            loop = asyncio.get_running_loop()
            real = loop.time
            monkeypatch.setattr(loop, "time", lambda: real() + elapsed)
        for _ in range(5):
            await asyncio.sleep(0)
        elapsed += seconds
        for _ in range(5):
            await asyncio.sleep(0)

    return advance_  # type: ignore[return-value]


async def run_calls(slots: asyncio.Semaphore, *calls: asyncio.Event) -> Deadline:
    """Run one concurrent call for each event; a call ends when its event is set."""
    deadline = Deadline(RUN_SECONDS, QUEUE_SECONDS)

    async def call(finished: asyncio.Event) -> None:
        async with acquire_slot(slots):
            await finished.wait()

    try:
        async with deadline:
            await asyncio.gather(*map(call, calls))
    except TimeoutError:
        assert deadline.expired
    return deadline


async def test_run_time_starts_when_a_slot_is_acquired(advance: Advance) -> None:
    """Queue time does not count as run time."""
    slots, finished = asyncio.Semaphore(1), asyncio.Event()
    await slots.acquire()
    run = asyncio.ensure_future(run_calls(slots, finished))
    await advance(44)
    slots.release()
    await advance(59)
    finished.set()
    assert not (await run).expired


async def test_queue_time_expires(advance: Advance) -> None:
    """The call leaves the queue and holds no slot."""
    slots, finished = asyncio.Semaphore(0), asyncio.Event()
    run = asyncio.ensure_future(run_calls(slots, finished))
    await advance(44)
    await advance(46)
    deadline = await run
    assert (deadline.expired, deadline.expired_in_queue) == (True, True)
    slots.release()
    assert not slots.locked()


async def test_run_time_expires(advance: Advance) -> None:
    """The slot is released."""
    slots = asyncio.Semaphore(1)
    run = asyncio.ensure_future(run_calls(slots, asyncio.Event()))
    await advance(59)
    await advance(61)
    deadline = await run
    assert (deadline.expired, deadline.expired_in_queue) == (True, False)
    assert not slots.locked()


async def test_run_time_counts_while_any_call_runs(advance: Advance) -> None:
    """Other calls may be queued meanwhile."""
    slots = asyncio.Semaphore(1)
    run = asyncio.ensure_future(run_calls(slots, asyncio.Event(), asyncio.Event()))
    await advance(59)
    await advance(61)
    assert (await run).expired


async def test_queue_time_of_successive_calls_adds_up(advance: Advance) -> None:
    """Two waits share one limit."""
    slots, first = asyncio.Semaphore(0), asyncio.Event()
    deadline = Deadline(RUN_SECONDS, QUEUE_SECONDS)

    async def calls() -> None:
        async with deadline:
            for finished in (first, asyncio.Event()):
                async with acquire_slot(slots):
                    await finished.wait()

    run = asyncio.ensure_future(calls())
    await advance(30)
    slots.release()
    await advance(0)
    other = asyncio.ensure_future(slots.acquire())
    first.set()
    await advance(16)
    with pytest.raises(TimeoutError):
        await run
    assert deadline.expired_in_queue
    assert await other


async def test_slot_without_a_deadline_has_no_time_limit() -> None:
    """A deadline whose block has ended counts no time either."""
    slots = asyncio.Semaphore(1)
    async with acquire_slot(slots):
        assert slots.locked()
    deadline = Deadline(RUN_SECONDS, QUEUE_SECONDS)
    async with deadline:
        pass
    deadline.count_calls(queued=1)
    assert not deadline.expired
