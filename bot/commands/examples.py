"""Finds example jobs for help and hints."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bot.commands.parser import parse_command
from bot.providers.references import resolve
from bot.sdk.errors import JobthreadError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from bot.providers.connections import Connection, Connections
    from bot.sdk.clock import Clock
    from bot.sdk.models import Job, JobRef
    from bot.store import Store

LIST_TIMEOUT_SECONDS = 0.8  # for all connections together: a slow one must not delay help
MAX_LISTED = 5  # jobs requested per connection; some ids cannot be typed


class Examples:
    """Finds an example per connection: a followed job, a configured one, or a listed one."""

    def __init__(self, *, store: Store, connections: Connections, clock: Clock) -> None:
        self._store = store
        self._connections = connections
        self._clock = clock

    async def find_one(self, workspace: str, channel: str) -> JobRef | None:
        """Return the best example for a channel; None if there is none."""
        found = await self._newest_followed(workspace, channel)
        found = found or await self._newest_followed(workspace)
        found = found or await self._configured_or_listed(self._connections)
        return next(iter(found.values()), None)

    async def find_each(
        self, workspace: str, channel: str, names: Collection[str]
    ) -> dict[str, JobRef]:
        """Return an example per connection, by name; connections without one are missing."""
        found = await self._newest_followed(workspace, channel)
        if not found.keys() >= set(names):
            found = await self._newest_followed(workspace) | found
        missing = [p for p in self._connections if p.name in names and p.name not in found]
        found |= await self._configured_or_listed(missing)
        return {name: found[name] for name in names if name in found}

    async def _newest_followed(
        self, workspace: str, channel: str | None = None
    ) -> dict[str, JobRef]:
        """Return the newest followed job per connection, in a channel or the whole workspace."""
        async with self._store.begin() as tx:
            newest = await tx.watches.latest_jobs(workspace, channel)
        return {ref.connection: ref for ref in newest if self._resolves_to_itself(ref)}

    async def _configured_or_listed(self, connections: Iterable[Connection]) -> dict[str, JobRef]:
        """Return the examples of the settings; for the other connections, a job they list."""
        configured = {each.name: each.example for each in connections}
        found = {
            name: ref for name, ref in configured.items() if ref and self._resolves_to_itself(ref)
        }
        remaining = [self._connections[name] for name in configured if name not in found]
        listed = await self._list_jobs([each for each in remaining if each.lists_jobs])
        found |= listed
        return {name: found[name] for name in configured if name in found}

    async def _list_jobs(self, connections: Sequence[Connection]) -> dict[str, JobRef]:
        """List all concurrently, until the timeout; a failed or slow connection has no example."""
        calls = {each.name: asyncio.ensure_future(each.recent(MAX_LISTED)) for each in connections}
        if not calls:
            return {}
        timeout = asyncio.ensure_future(self._clock.sleep(LIST_TIMEOUT_SECONDS))
        all_done = asyncio.ensure_future(asyncio.wait(calls.values()))
        try:
            await asyncio.wait({timeout, all_done}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (timeout, all_done, *calls.values()):
                task.cancel()  # no effect on a finished task
        completed = {n: task.result() for n, task in calls.items() if _succeeded(task)}
        first_jobs = {name: self._first_usable(found) for name, found in completed.items()}
        return {name: ref for name, ref in first_jobs.items() if ref}

    def _first_usable(self, found: Sequence[Job] | JobthreadError) -> JobRef | None:
        jobs = () if isinstance(found, JobthreadError) else found
        return next((job.ref for job in jobs if self._resolves_to_itself(job.ref)), None)

    def _resolves_to_itself(self, ref: JobRef) -> bool:
        """Whether the typed reference is parsed and resolved to exactly this job."""
        word = str(ref)
        return parse_command(word).words == (word,) and resolve(self._connections, word).refs == (
            ref,
        )


def _succeeded(call: asyncio.Future[Any]) -> bool:
    return call.done() and not call.cancelled() and call.exception() is None
