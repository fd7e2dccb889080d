"""Ticks from within this process: one asyncio task for each shard."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.errors import trail

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.clock import Clock
    from bot.engine import Tick

log = logging.getLogger(__name__)

LONGEST_BACK_OFF = 60.0  # seconds between two ticks of a shard that keeps failing


class EmbeddedEngine:
    """An engine for one process; nothing of it outlives the process."""

    def __init__(self, clock: Clock, *, grace: float = 5.0) -> None:
        self._clock = clock
        # Real seconds that ticks under way get at the end: what they wait for may not be the clock.
        self._grace = grace
        self._tick: Tick | None = None
        self._slots = asyncio.Semaphore()
        self._turns: dict[str, asyncio.Task[None] | None] = {}
        self._ticking: set[str] = set()
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()

    def ensure(self, shards: Iterable[str]) -> None:
        """See that these shards are ticked, besides those that are."""
        for shard in shards:
            self._turns.setdefault(shard, None)
        self._start()

    async def run(self, handler: Tick, concurrency: int) -> None:
        """Tick until `stop`: each shard once at a time, and at most `concurrency` at once."""
        self._tick, self._slots = handler, asyncio.Semaphore(concurrency)
        try:
            self._start()
            await self._stopping.wait()
            await self._let_finish()
        finally:
            self._stopping.set()
            await _cancel(self._tasks())
            self._ended.set()

    async def stop(self) -> None:
        """Begin no tick any more, give those under way a few seconds, and end `run`."""
        self._stopping.set()
        if self._tick is not None:
            await self._ended.wait()

    def _start(self) -> None:
        """Give a task to each shard that has none, once there is something to run."""
        if self._tick is None or self._stopping.is_set():
            return
        for shard in [shard for shard, task in self._turns.items() if task is None]:
            self._turns[shard] = asyncio.create_task(self._turn(shard, self._tick), name=shard)

    async def _turn(self, shard: str, tick: Tick) -> None:
        """Tick one shard, wait as long as it said, and again."""
        failures = 0
        while not self._stopping.is_set():
            async with self._slots:
                pause = await self._once(shard, tick)
            failures = failures + 1 if pause is None else 0
            if self._stopping.is_set():
                return
            back_off = min(LONGEST_BACK_OFF, 2.0 ** min(failures, 10))
            await self._clock.sleep(back_off if pause is None else max(0.0, pause))

    async def _once(self, shard: str, tick: Tick) -> float | None:
        """Return the seconds until the next tick, or None if this one raised."""
        self._ticking.add(shard)
        try:
            return await tick(shard)
        except Exception as error:  # noqa: BLE001  the edge of a tick
            log.error("the tick of %s failed; it is tried again: %s", shard, trail(error))
            return None
        finally:
            self._ticking.discard(shard)

    async def _let_finish(self) -> None:
        """End the waiting at once, and the ticks under way when they are done or out of time."""
        await _cancel([task for task in self._tasks() if task.get_name() not in self._ticking])
        under_way = [task for task in self._tasks() if not task.done()]
        if under_way:
            await asyncio.wait(under_way, timeout=self._grace)

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [task for task in self._turns.values() if task is not None]


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel tasks, and wait until they have gone."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
