"""Timeout that excludes queue time: waiting for a free call slot has a limit of its own."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType


class Deadline:
    """Ends a block with TimeoutError when its run time or its queue time is used up.

    Run time does not count while all calls of the block wait for a slot.
    """

    def __init__(self, seconds: float, waiting_seconds: float) -> None:
        self._seconds_left = {False: seconds, True: waiting_seconds}  # by `_is_queued`
        self._queued_calls = self._running_calls = 0
        self._counting_since = 0.0  # seconds of the loop's clock
        self._is_counting = False
        self._is_queued = False  # whether all calls wait for a slot
        self._timeout = asyncio.timeout(None)

    async def __aenter__(self) -> Self:
        """Start counting."""
        await self._timeout.__aenter__()
        _current.set(self)
        self._is_counting = True
        self._reschedule()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop counting."""
        self._is_counting = False
        _current.set(None)
        await self._timeout.__aexit__(kind, error, trace)

    @property
    def expired(self) -> bool:
        """Whether the run time or the queue time is used up."""
        return self._timeout.expired()

    @property
    def expired_in_queue(self) -> bool:
        """Whether it expired while all calls waited for a slot."""
        return self.expired and self._is_queued

    def count_calls(self, *, queued: int = 0, running: int = 0) -> None:
        """Add to the numbers of queued and running calls; negative values subtract."""
        self._queued_calls += queued
        self._running_calls += running
        is_queued = self._queued_calls > 0 and not self._running_calls
        if is_queued != self._is_queued and self._is_counting and not self.expired:
            elapsed = asyncio.get_running_loop().time() - self._counting_since
            self._seconds_left[self._is_queued] -= elapsed
            self._is_queued = is_queued
            self._reschedule()

    def _reschedule(self) -> None:
        self._counting_since = asyncio.get_running_loop().time()
        self._timeout.reschedule(self._counting_since + self._seconds_left[self._is_queued])


_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


@asynccontextmanager
async def acquire_slot(slots: asyncio.Semaphore) -> AsyncIterator[None]:
    """Hold a call slot; time spent waiting for it counts as queue time of the current deadline."""
    deadline = _current.get()
    if deadline is None:
        async with slots:
            yield
        return
    await _acquire(slots, deadline)
    try:
        yield
    finally:
        slots.release()
        deadline.count_calls(running=-1)


async def _acquire(slots: asyncio.Semaphore, deadline: Deadline) -> None:
    queued = int(slots.locked())
    deadline.count_calls(queued=queued)
    try:
        await slots.acquire()
    except BaseException:
        deadline.count_calls(queued=-queued)
        raise
    deadline.count_calls(queued=-queued, running=1)
