"""Options of the modal's job select: recent jobs of each connection, and the typed reference."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.commands.parser import parse_command as parse
from bot.providers.references import resolve
from bot.sdk import formatting
from bot.sdk.cards import blocks
from bot.sdk.errors import origin
from bot.slack.job_modal import command_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.providers.connections import Connection, Connections
    from bot.sdk.clock import Clock
    from bot.sdk.errors import JobthreadError
    from bot.sdk.models import Job, JobRef
    from bot.slack.payloads import Payload

    Fetch = asyncio.Task[Sequence[Job] | JobthreadError]

log = logging.getLogger(__name__)

CACHE_SECONDS = 30.0  # that a list of recent jobs is cached
TIMEOUT_SECONDS = 2.0  # for all connections together; Slack waits for 3
MAX_RECENT_JOBS = 50  # recent jobs to request from a connection
MAX_TYPED_OPTIONS = 5  # options for the typed reference, one a connection

# https://docs.slack.dev/reference/block-kit/composition-objects/option-object
MAX_OPTIONS = 100
MAX_TEXT = 75
MAX_VALUE = 150


@dataclass(frozen=True)
class CachedJobs:
    """Recent jobs of a connection, and when they were fetched."""

    jobs: tuple[Job, ...]
    fetched_at: float  # monotonic seconds


class JobOptions:
    """Builds the options of the job select from cached lists of recent jobs.

    A list that arrives after the deadline is cached for the next keystroke.
    """

    def __init__(self, connections: Connections, clock: Clock) -> None:
        self._connections = connections
        self._clock = clock
        self._newest: dict[str, CachedJobs] = {}  # by connection
        self._fetches: dict[str, Fetch] = {}

    async def options(self, typed: str) -> Payload:
        """Return the response to a `block_suggestion` within the deadline."""
        await self._wait(self.prefetch())
        newest = {p.name: self._jobs(p.name) for p in self._connections if p.lists_jobs}
        return build_options(self._connections, newest, typed)

    def prefetch(self) -> set[Fetch]:
        """Start fetching lists that have expired; return all running fetches."""
        for connection in self._connections:
            if connection.lists_jobs and not self._is_fresh(connection.name):
                self._start_fetch(connection)
        return set(self._fetches.values())

    async def close(self) -> None:
        """Cancel running fetches."""
        running = list(self._fetches.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _is_fresh(self, name: str) -> bool:
        newest = self._newest.get(name)
        if newest is None:
            return False
        return self._clock.monotonic() - newest.fetched_at < CACHE_SECONDS

    def _start_fetch(self, connection: Connection) -> None:
        name = connection.name
        if name not in self._fetches:
            self._fetches[name] = asyncio.create_task(connection.recent(MAX_RECENT_JOBS))
            self._fetches[name].add_done_callback(lambda task: self._store(name, task))

    def _store(self, name: str, task: Fetch) -> None:
        """Cache the fetched list; after an error, keep the previous one."""
        del self._fetches[name]
        if task.cancelled():
            return
        found = task.exception() or task.result()
        if isinstance(found, BaseException):
            log.warning("cannot list the recent jobs of %s: %s", name, origin(found))
            found = self._jobs(name)
        requestable = tuple(job for job in found if is_requestable(self._connections, job.ref))
        self._newest[name] = CachedJobs(requestable, self._clock.monotonic())

    def _jobs(self, name: str) -> tuple[Job, ...]:
        newest = self._newest.get(name)
        return newest.jobs if newest else ()

    async def _wait(self, fetches: set[Fetch]) -> None:
        """Wait until all fetches end, or until the deadline."""
        deadline = asyncio.ensure_future(self._clock.sleep(TIMEOUT_SECONDS))
        try:
            while fetches and not deadline.done():
                await asyncio.wait({deadline, *fetches}, return_when=asyncio.FIRST_COMPLETED)
                fetches = {each for each in fetches if not each.done()}
        finally:
            deadline.cancel()


def is_requestable(connections: Connections, ref: JobRef) -> bool:
    """Whether the reference fits an option and resolves, as a command, to that job only."""
    word = str(ref)
    fits = blocks.length(word) <= MAX_VALUE and parse(command_for(word)).words == (word,)
    return fits and resolve(connections, word).refs == (ref,)


def build_options(
    connections: Connections, newest: Mapping[str, Sequence[Job]], typed: str
) -> Payload:
    """Return the options for the typed text: its references, and jobs that match it."""
    word = typed.strip()
    matching = _matching_jobs(newest, word)
    known = {job.ref for jobs in matching.values() for job in jobs}
    references = [ref for ref in resolve(connections, word).refs if ref not in known]
    typed_options = [
        _option(f"Ask for {ref}", ref) for ref in references if is_requestable(connections, ref)
    ]
    groups = [_group("What you typed", typed_options[:MAX_TYPED_OPTIONS])]
    groups += [
        _group(n, [_option(option_text(j), j.ref) for j in jobs]) for n, jobs in matching.items()
    ]
    non_empty = [group for group in groups if group["options"]]
    return {"option_groups": non_empty} if non_empty else {"options": []}


def _matching_jobs(newest: Mapping[str, Sequence[Job]], word: str) -> dict[str, list[Job]]:
    """Return the jobs that match a word; the options are shared equally by the connections."""
    available = MAX_OPTIONS - MAX_TYPED_OPTIONS
    share = max(1, available // max(1, len(newest)))
    return {
        name: [job for job in _unique(jobs) if _matches(job, word.casefold())][:share]
        for name, jobs in list(newest.items())[:available]
    }


def _unique(jobs: Sequence[Job]) -> Iterable[Job]:
    return {job.ref: job for job in jobs}.values()


def _matches(job: Job, word: str) -> bool:
    return word in job.name.casefold() or word in str(job.ref).casefold()


def option_text(job: Job) -> str:
    """Return a job on one line, "deploy-api · ✅ succeeded · 12345"; a long name is cut."""
    rest = f" · {formatting.status_label(job.status)} · {job.ref.id}"
    name_limit = max(20, MAX_TEXT - blocks.length(rest))
    return blocks.clip(blocks.one_line(job.name), name_limit) + rest


def _group(label: str, options: list[Payload]) -> Payload:
    return {"label": blocks.plain(label, MAX_TEXT), "options": options}


def _option(text: str, ref: JobRef) -> Payload:
    return {"text": blocks.plain(blocks.one_line(text), MAX_TEXT), "value": str(ref)}
