"""What the modal's list of jobs offers: the connections' newest jobs, and what was typed."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot import words
from bot.cards import blocks
from bot.commands import typed as understood
from bot.errors import trail
from bot.providers import looks
from bot.providers.references import resolve
from bot.slack.modal import command_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from bot.clock import Clock
    from bot.errors import JobthreadError
    from bot.models import Job, JobRef
    from bot.providers.connections import Connections
    from bot.providers.provider import Provider
    from bot.slack.incoming import Payload

    Asking = asyncio.Task[Sequence[Job] | JobthreadError]

log = logging.getLogger(__name__)

FRESH_SECONDS = 30.0  # that a list is used before its connection is asked again
PATIENCE_SECONDS = 2.0  # for all lists together; Slack waits for three
MOST_NEWEST = 50  # jobs that a connection is asked for
MOST_TYPED = 5  # connections that what was typed can mean

# https://docs.slack.dev/reference/block-kit/composition-objects/option-object
MOST_OPTIONS = 100
LONGEST_TEXT = 75
LONGEST_VALUE = 150


@dataclass(frozen=True)
class Newest:
    """The newest jobs of a connection, and when it was last asked for them."""

    jobs: tuple[Job, ...]
    at: datetime  # aware, UTC


class Suggestions:
    """Offers jobs to choose from; each connection is asked for its own once in a while.

    A list that comes too late for one letter typed is there for the next.
    """

    def __init__(self, connections: Connections, clock: Clock) -> None:
        self._connections = connections
        self._clock = clock
        self._newest: dict[str, Newest] = {}  # by connection
        self._asking: dict[str, Asking] = {}

    async def answer(self, typed: str) -> Payload:
        """Return what answers a `block_suggestion`, in time."""
        await self._wait(self.prepare())
        newest = {p.name: self._jobs(p.name) for p in self._connections if p.lists_jobs}
        return offer(self._connections, newest, typed)

    def prepare(self) -> set[Asking]:
        """Begin to ask the connections whose lists are old; return all that is under way."""
        for provider in self._connections:
            if provider.lists_jobs and not self._is_fresh(provider.name):
                self._ask(provider)
        return set(self._asking.values())

    async def close(self) -> None:
        """Give up what is under way."""
        under_way = list(self._asking.values())
        for asking in under_way:
            asking.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    def _is_fresh(self, name: str) -> bool:
        newest = self._newest.get(name)
        if newest is None:
            return False
        return (self._clock.now() - newest.at).total_seconds() < FRESH_SECONDS

    def _ask(self, provider: Provider[Any]) -> None:
        name = provider.name
        if name not in self._asking:
            self._asking[name] = asyncio.create_task(looks.recent(provider, MOST_NEWEST))
            self._asking[name].add_done_callback(lambda asking: self._note(name, asking))

    def _note(self, name: str, asking: Asking) -> None:
        """Keep what came; of a connection that fails, what was known before stays on offer."""
        del self._asking[name]
        if asking.cancelled():
            return
        found = asking.exception() or asking.result()
        if isinstance(found, BaseException):
            log.warning("%s does not list its newest jobs: %s", name, trail(found))
            found = self._jobs(name)
        able = tuple(job for job in found if can_be_asked_for(self._connections, job.ref))
        self._newest[name] = Newest(able, self._clock.now())

    def _jobs(self, name: str) -> tuple[Job, ...]:
        newest = self._newest.get(name)
        return newest.jobs if newest else ()

    async def _wait(self, asking: set[Asking]) -> None:
        """Wait until everything came, or for as long as Slack has patience."""
        over = asyncio.ensure_future(self._clock.sleep(PATIENCE_SECONDS))
        try:
            while asking and not over.done():
                await asyncio.wait({over, *asking}, return_when=asyncio.FIRST_COMPLETED)
                asking = {each for each in asking if not each.done()}
        finally:
            over.cancel()


def can_be_asked_for(connections: Connections, ref: JobRef) -> bool:
    """Whether an option can hold a reference, and a command with it would mean that job."""
    word = str(ref)
    fits = blocks.length(word) <= LONGEST_VALUE and understood(command_for(word)).words == (word,)
    return fits and resolve(connections, word).refs == (ref,)


def offer(connections: Connections, newest: Mapping[str, Sequence[Job]], typed: str) -> Payload:
    """Return the options for what was typed: what it means itself, and jobs that it fits."""
    word = typed.strip()
    fitting = _fitting(newest, word)
    known = {job.ref for jobs in fitting.values() for job in jobs}
    meant = [ref for ref in resolve(connections, word).refs if ref not in known]
    own = [_option(f"Ask for {ref}", ref) for ref in meant if can_be_asked_for(connections, ref)]
    groups = [_group("What you typed", own[:MOST_TYPED])]
    groups += [_group(n, [_option(line(j), j.ref) for j in jobs]) for n, jobs in fitting.items()]
    filled = [group for group in groups if group["options"]]
    return {"option_groups": filled} if filled else {"options": []}


def _fitting(newest: Mapping[str, Sequence[Job]], word: str) -> dict[str, list[Job]]:
    """Return the jobs that fit a word; every connection has an equal share of the room."""
    room = MOST_OPTIONS - MOST_TYPED
    share = max(1, room // max(1, len(newest)))
    return {
        name: [job for job in _once_each(jobs) if _fits(job, word.casefold())][:share]
        for name, jobs in list(newest.items())[:room]
    }


def _once_each(jobs: Sequence[Job]) -> Iterable[Job]:
    return {job.ref: job for job in jobs}.values()


def _fits(job: Job, word: str) -> bool:
    return word in job.name.casefold() or word in str(job.ref).casefold()


def line(job: Job) -> str:
    """Return a job on one line, "deploy-api · ✅ succeeded · 12345", its name cut if need be."""
    rest = f" · {words.sign(job.status)} · {job.ref.id}"
    room = max(20, LONGEST_TEXT - blocks.length(rest))
    return blocks.clip(blocks.one_line(job.name), room) + rest


def _group(label: str, options: list[Payload]) -> Payload:
    return {"label": blocks.plain(label, LONGEST_TEXT), "options": options}


def _option(text: str, ref: JobRef) -> Payload:
    return {"text": blocks.plain(blocks.one_line(text), LONGEST_TEXT), "value": str(ref)}
