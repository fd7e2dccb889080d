"""Polls due jobs, batch by batch, and applies the results."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.sdk.clock import Clock, Wakeup, seconds_until
from bot.tracking.job_updates import JobUpdates, PollResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.providers.connections import Connection, Connections
    from bot.providers.plugin_loader import Plugins
    from bot.store import Store, WatchedJob

log = logging.getLogger(__name__)

QUANTUM_SECONDS = 15.0  # length of one tick
MAX_JOBS = 100  # in one round


class Poller:
    """Polls each followed job once, regardless of the number of its threads."""

    def __init__(
        self,
        *,
        store: Store,
        connections: Connections,
        plugins: Plugins,
        job_updates: JobUpdates,
        clock: Clock,
        coalesce_seconds: float,
        wake_dispatcher: Callable[[], None],
    ) -> None:
        self._store = store
        self._connections = connections
        self._plugins = plugins
        self._job_updates = job_updates
        self._clock = clock
        self._window = timedelta(seconds=coalesce_seconds)
        self._wake_dispatcher = wake_dispatcher
        self._wakeups: dict[tuple[str, int], Wakeup] = {}
        # Monotonic seconds at which the waiting shards wake.
        self._wakes_at: dict[tuple[str, int], float] = {}
        self._closing = False

    def wake_for(self, connection: str, due_at: datetime) -> None:
        """Wake a connection's shards that would sleep past this time."""
        due = self._clock.monotonic() + (due_at - self._clock.now()).total_seconds()
        for shard, wakeup in self._wakeups.items():
            if shard[0] == connection and self._wakes_at.get(shard, due) >= due:
                wakeup.notify()

    def close(self) -> None:
        """End every tick as soon as its pending poll is stored."""
        self._closing = True
        for wakeup in self._wakeups.values():
            wakeup.notify()

    async def tick(self, connection: str, shard: int, shards: int) -> float:
        """Poll one shard of a connection for a quantum; return the seconds until the next tick."""
        key = (connection, shard)
        wakeup = self._wakeups.setdefault(key, Wakeup(self._clock))
        end = self._clock.monotonic() + QUANTUM_SECONDS
        while not self._closing and (left := end - self._clock.monotonic()) > 0:
            wait = min(left, await self._round(self._connections[connection], (shard, shards)))
            self._wakes_at[key] = self._clock.monotonic() + wait
            await wakeup.wait(wait)
            self._wakes_at.pop(key)
        return 0.0

    async def _round(self, connection: Connection, shards: tuple[int, int]) -> float:
        """Poll the due jobs; return the seconds until the next one is due."""
        now = self._clock.now()
        async with self._store.begin() as tx:
            next_due = await tx.jobs.next_due(connection.name, shards, now)
            if next_due is None or next_due > now:
                return seconds_until(next_due, now, QUANTUM_SECONDS)
            window = self._window if connection.batch_size > 1 else timedelta()
            due = await tx.jobs.due(
                connection.name, shards=shards, now=now + window, limit=MAX_JOBS
            )
        await self._poll(connection, due)
        return 0.0

    async def _poll(self, connection: Connection, due: Sequence[WatchedJob]) -> None:
        batches = _batches(due, connection.batch_size)
        await asyncio.gather(*(self._poll_batch(connection, batch) for batch in batches))

    async def _poll_batch(self, connection: Connection, batch: list[WatchedJob]) -> None:
        """Fetch one batch and apply its results in one transaction."""
        refs = list(dict.fromkeys(watched.ref for watched in batch))
        known = {watched.ref: watched.snapshot for watched in batch if watched.snapshot}
        found = await connection.fetch_batch(refs, known)
        now = self._clock.now()
        results = [PollResult(watched, found[watched.ref], now) for watched in batch]
        async with self._store.begin() as tx:
            changes = await self._job_updates.apply(tx, connection, results)
        if any(result.found != result.watched.snapshot for result in results):
            self._wake_dispatcher()
        for change in changes:
            await self._plugins.job_changed(change)


def _batches(due: Sequence[WatchedJob], size: int) -> list[list[WatchedJob]]:
    return [list(due[first : first + size]) for first in range(0, len(due), size)]
