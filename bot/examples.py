"""Examples: jobs that can be asked for in this installation, for help and for hints."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bot.commands import typed
from bot.errors import JobthreadError
from bot.models import JobRef
from bot.providers import looks
from bot.providers.references import resolve

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from bot.clock import Clock
    from bot.models import Job
    from bot.providers.connections import Connections
    from bot.providers.provider import Provider
    from bot.store import Store

PATIENCE_SECONDS = 0.8  # for all lists together: help is not to wait for a slow job system
MOST_LISTED = 5  # jobs that a connection is asked for: not each can be typed


class Examples:
    """Finds a job of each connection: one that was asked for, else one that it lists."""

    def __init__(self, *, store: Store, connections: Connections, clock: Clock) -> None:
        self._store = store
        self._connections = connections
        self._clock = clock

    async def best(self, workspace: str, channel: str) -> JobRef | None:
        """Return the job to show to somebody in a channel; None: no connection knows any."""
        found = await self._asked_for(workspace, channel) or await self._asked_for(workspace)
        found = found or await self._else_known(self._connections)
        return next(iter(found.values()), None)

    async def of(self, workspace: str, channel: str, names: Collection[str]) -> dict[str, JobRef]:
        """Return a job of each of these connections, by name, where one is known."""
        found = await self._asked_for(workspace, channel)
        if not found.keys() >= set(names):
            found = await self._asked_for(workspace) | found
        lacking = [p for p in self._connections if p.name in names and p.name not in found]
        found |= await self._else_known(lacking)
        return {name: found[name] for name in names if name in found}

    async def _asked_for(self, workspace: str, channel: str | None = None) -> dict[str, JobRef]:
        """Return the newest job of each connection that somebody had followed, here or anywhere."""
        async with self._store.begin() as tx:
            newest = await tx.watches.newest(workspace, channel)
        return {ref.connection: ref for ref in newest if self._can_be_typed(ref)}

    async def _else_known(self, providers: Iterable[Provider[Any]]) -> dict[str, JobRef]:
        """Return the jobs that the settings name; where they name none, those that are listed."""
        named = {p.name: _named(p) for p in providers}
        found = {name: ref for name, ref in named.items() if ref and self._can_be_typed(ref)}
        able = [self._connections[name] for name in named if name not in found]
        listed = await self._listed([provider for provider in able if provider.lists_jobs])
        return {name: both[name] for both in [found | listed] for name in named if name in both}

    async def _listed(self, providers: Sequence[Provider[Any]]) -> dict[str, JobRef]:
        """Ask all at once, and wait no longer than patience lasts; who fails has no example."""
        asking = {p.name: asyncio.ensure_future(looks.recent(p, MOST_LISTED)) for p in providers}
        if not asking:
            return {}
        over = asyncio.ensure_future(self._clock.sleep(PATIENCE_SECONDS))
        done = asyncio.ensure_future(asyncio.wait(asking.values()))
        try:
            await asyncio.wait({over, done}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (over, done, *asking.values()):
                task.cancel()  # one that is done stays so
        came = {n: task.result() for n, task in asking.items() if _came(task)}
        firsts = {name: self._first(found) for name, found in came.items()}
        return {name: ref for name, ref in firsts.items() if ref}

    def _first(self, found: Sequence[Job] | JobthreadError) -> JobRef | None:
        jobs = () if isinstance(found, JobthreadError) else found
        return next((job.ref for job in jobs if self._can_be_typed(job.ref)), None)

    def _can_be_typed(self, ref: JobRef) -> bool:
        """Whether a command with these words means this job, and no other."""
        word = str(ref)
        return typed(word).words == (word,) and resolve(self._connections, word).refs == (ref,)


def _came(asking: asyncio.Future[Any]) -> bool:
    return asking.done() and not asking.cancelled() and asking.exception() is None


def _named(provider: Provider[Any]) -> JobRef | None:
    """Return the job that the operator named; a kind's own example is only the form of an id."""
    id_ = vars(provider).get("example_id", "")
    return JobRef(connection=provider.name, id=id_) if id_ else None
