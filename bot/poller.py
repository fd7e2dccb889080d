"""What a tick of a polling shard does: look at the jobs that are due, write down what they did."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.clock import Bell, Clock, until
from bot.following import Following, Look
from bot.providers import looks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.providers.connections import Connections
    from bot.providers.provider import Provider
    from bot.providers.registry import Plugins
    from bot.store import Store, WatchedJob

log = logging.getLogger(__name__)

QUANTUM_SECONDS = 15.0  # of one tick
MOST_AT_ONCE = 100  # jobs in one round


class Poller:
    """Looks at followed jobs when they are due, each once, however many threads follow it."""

    def __init__(
        self,
        *,
        store: Store,
        connections: Connections,
        plugins: Plugins,
        following: Following,
        clock: Clock,
        coalesce_seconds: float,
        ring: Callable[[], None],
    ) -> None:
        self._store = store
        self._connections = connections
        self._plugins = plugins
        self._following = following
        self._clock = clock
        self._window = timedelta(seconds=coalesce_seconds)
        self._ring = ring
        self._bells: dict[tuple[str, int], Bell] = {}
        self._wakes_at: dict[tuple[str, int], datetime] = {}  # of the shards that sleep
        self._closing = False

    def expect(self, connection: str, due_at: datetime) -> None:
        """See that a connection's shards are awake when a job is due then."""
        for shard, bell in self._bells.items():
            if shard[0] == connection and self._wakes_at.get(shard, due_at) >= due_at:
                bell.ring()

    def close(self) -> None:
        """Let every tick end as soon as what it is asking for is written down."""
        self._closing = True
        for bell in self._bells.values():
            bell.ring()

    async def tick(self, connection: str, shard: int, shards: int) -> float:
        """Poll one connection's shard for a quantum; return the seconds until the next tick."""
        key = (connection, shard)
        bell = self._bells.setdefault(key, Bell(self._clock))
        end = self._clock.now() + timedelta(seconds=QUANTUM_SECONDS)
        # More than the quantum is left when the clock was set back.
        while not self._closing and 0 < (left := _left(end, self._clock)) <= QUANTUM_SECONDS:
            wait = min(left, await self._round(self._connections[connection], (shard, shards)))
            self._wakes_at[key] = self._clock.now() + timedelta(seconds=wait)
            await bell.wait(wait)
            self._wakes_at.pop(key)
        return 0.0

    async def _round(self, provider: Provider[Any], shards: tuple[int, int]) -> float:
        """Look at what is due; return the seconds until something else is."""
        now = self._clock.now()
        async with self._store.begin() as tx:
            next_due = await tx.jobs.next_due(provider.name, shards, now)
            if next_due is None or next_due > now:
                return until(next_due, now, QUANTUM_SECONDS)
            window = self._window if provider.batch_size > 1 else timedelta()
            due = await tx.jobs.due(
                provider.name, shards=shards, now=now + window, limit=MOST_AT_ONCE
            )
        await self._look(provider, due)
        return 0.0

    async def _look(self, provider: Provider[Any], due: Sequence[WatchedJob]) -> None:
        batches = _batches(due, max(1, provider.batch_size))
        await asyncio.gather(*(self._look_at(provider, batch) for batch in batches))

    async def _look_at(self, provider: Provider[Any], batch: list[WatchedJob]) -> None:
        """Ask for one batch and write it down in one transaction."""
        refs = list(dict.fromkeys(watched.ref for watched in batch))
        known = {watched.ref: watched.seen for watched in batch if watched.seen}
        found = await looks.look(provider, refs, known)
        now = self._clock.now()
        new = [Look(watched, found[watched.ref], now) for watched in batch]
        async with self._store.begin() as tx:
            changes = await self._following.write(tx, provider, new)
        if any(look.found != look.watched.seen for look in new):  # then a card or thread hears it
            self._ring()
        for change in changes:
            await self._plugins.job_changed(change)


def _left(end: datetime, clock: Clock) -> float:
    return (end - clock.now()).total_seconds()


def _batches(due: Sequence[WatchedJob], size: int) -> list[list[WatchedJob]]:
    return [list(due[first : first + size]) for first in range(0, len(due), size)]
