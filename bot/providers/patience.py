"""How long one look may take: waiting for a free place has a limit of its own."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType


class Patience:
    """Ends a block with TimeoutError when its own time, or its waiting time, is used up.

    Its time stands still while all that it does is wait for a place that others hold.
    """

    def __init__(self, seconds: float, waiting_seconds: float) -> None:
        self._left = {False: seconds, True: waiting_seconds}  # by whether it waits
        self._queuing = self._placed = 0  # calls that wait for a place, and that have one
        self._since = 0.0  # seconds of the loop's clock
        self._counts = False
        self._waits = False  # whether it only waits
        self._timeout = asyncio.timeout(None)

    async def __aenter__(self) -> Self:
        """Begin to count."""
        await self._timeout.__aenter__()
        _current.set(self)
        self._counts = True
        self._count()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop to count."""
        self._counts = False
        _current.set(None)
        await self._timeout.__aexit__(kind, error, trace)

    @property
    def over(self) -> bool:
        """Whether its time was used up, or its waiting time."""
        return self._timeout.expired()

    @property
    def in_vain(self) -> bool:
        """Whether it was over while all that it did was wait."""
        return self.over and self._waits

    def move(self, *, queuing: int = 0, placed: int = 0) -> None:
        """Note that so many calls more, or less, wait for a place or have one."""
        self._queuing += queuing
        self._placed += placed
        waits = self._queuing > 0 and not self._placed
        if waits != self._waits and self._counts and not self.over:
            self._left[self._waits] -= asyncio.get_running_loop().time() - self._since
            self._waits = waits
            self._count()

    def _count(self) -> None:
        self._since = asyncio.get_running_loop().time()
        self._timeout.reschedule(self._since + self._left[self._waits])


_current: ContextVar[Patience | None] = ContextVar("patience", default=None)


@asynccontextmanager
async def place(places: asyncio.Semaphore) -> AsyncIterator[None]:
    """Hold one of the places; whose look this is for is told when it has to wait for one."""
    patience = _current.get()
    if patience is None:
        async with places:
            yield
        return
    await _taken(places, patience)
    try:
        yield
    finally:
        places.release()
        patience.move(placed=-1)


async def _taken(places: asyncio.Semaphore, patience: Patience) -> None:
    waits = int(places.locked())
    patience.move(queuing=waits)
    try:
        await places.acquire()
    except BaseException:
        patience.move(queuing=-waits)
        raise
    patience.move(queuing=-waits, placed=1)
