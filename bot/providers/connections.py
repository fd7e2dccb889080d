"""Connections: a provider with its HTTP client, circuit breaker and event loop."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from bot.providers.bot_loop import BotLoop
from bot.providers.circuit_breaker import CircuitBreaker
from bot.providers.guarded_calls import CALL_TIMEOUT_SECONDS, GuardedCalls
from bot.providers.renderer import JobRenderer
from bot.sdk.errors import (
    PLUGIN_EXCEPTIONS,
    AnswerNotUnderstood,
    BadReference,
    JobthreadError,
    origin,
)
from bot.sdk.models import MAX_ID_LENGTH, Change, Job, JobRef, Message
from bot.sdk.provider import Provider

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bot.providers.guarded_calls import Runner
    from bot.sdk.cards.job_card import CardContext
    from bot.sdk.clock import Clock
    from bot.sdk.id_format import IdFormat

log = logging.getLogger(__name__)


class Connection(JobRenderer):
    """One configured connection; the rest of the bot calls a provider only through it.

    Its methods raise no exception of the provider: an error of the API is a result, and a card
    that cannot be rendered is replaced by the default one.
    """

    def __init__(self, provider: Provider[Any], runner: Runner | None = None) -> None:
        self.provider = provider
        self.circuit_breaker = CircuitBreaker()
        self._runner = runner or BotLoop()
        self._runner.on_close(self._close_http)
        self._calls = GuardedCalls(provider, self._runner, self.circuit_breaker)

    @property
    def name(self) -> str:
        """The name in the settings."""
        return self.provider.name

    @property
    def kind(self) -> str:
        """The kind of its provider."""
        return self.provider.kind

    @property
    def title(self) -> str:
        """The name of the job system, for people."""
        return self.provider.title or self.provider.kind

    @property
    def clock(self) -> Clock:
        """The clock of its provider."""
        return self.provider.clock

    @property
    def base_url(self) -> str:
        """The address of the API."""
        return self.provider.connect().base_url

    @property
    def id_format(self) -> IdFormat:
        """The ids that it accepts."""
        return self.provider.id_format

    @property
    def example(self) -> JobRef | None:
        """The job that its settings name as an example."""
        own = vars(self.provider).get("id_format")  # a class's own example only shows the form
        return JobRef(connection=self.name, id=own.example) if own and own.example else None

    @property
    def batch_size(self) -> int:
        """Jobs per call of `fetch_batch`."""
        return max(1, self.provider.batch_size)

    @property
    def lists_jobs(self) -> bool:
        """Whether its provider can list jobs."""
        return type(self.provider).recent_jobs is not Provider.recent_jobs

    async def fetch(self, ref: JobRef) -> Job | JobthreadError:
        """Fetch a requested job; the result keeps the reference that the provider returns.

        A user may request a job by its name; it is followed by its id.
        """
        result = await self._calls.result_of(partial(self.provider.fetch_job, ref))
        if isinstance(result, Job) and result.ref.connection == ref.connection:
            return result
        return self._checked_job(result, ref)

    async def fetch_batch(
        self, refs: Sequence[JobRef], seen: Mapping[JobRef, Job] | None = None
    ) -> dict[JobRef, Job | JobthreadError]:
        """Return each job, or the error of its fetch; plugin faults and hangs become errors too.

        `seen` holds the last known state of the jobs.
        """
        result = await self._calls.result_of(partial(self._fetch_all, refs, seen or {}))
        if isinstance(result, JobthreadError):
            return dict.fromkeys(refs, result)
        if not isinstance(result, Mapping):
            return dict.fromkeys(refs, self._invalid_result(result))
        return {ref: self._checked_job(result.get(ref), ref) for ref in refs}

    async def _fetch_all(
        self, refs: Sequence[JobRef], seen: Mapping[JobRef, Job]
    ) -> dict[JobRef, Job | JobthreadError]:
        if len(refs) > 1:
            return await self.provider.fetch_jobs(refs, seen)
        return {refs[0]: await self.provider.fetch_job(refs[0])}

    async def recent(self, limit: int) -> Sequence[Job] | JobthreadError:
        """Return the newest jobs, or the error of the call."""
        result = await self._calls.result_of(partial(self.provider.recent_jobs, limit))
        if isinstance(result, JobthreadError):
            return result
        try:
            return list(islice((job for job in result if isinstance(job, Job)), limit))
        except PLUGIN_EXCEPTIONS as error:
            log.error("invalid job list of %s: %s", self.name, origin(error))
            return self._invalid_result(result)

    async def check(self) -> str:
        """Test the connection and return the result as a sentence.

        The only method that raises the errors of the provider.
        """
        return str(await self._calls.run(self.provider.check))

    async def validate_settings(self) -> list[str]:
        """Return the problems that the provider finds in its settings, each with its key."""
        try:
            validate = self.provider.validate_settings
            problems = list(await self._runner.run(validate, CALL_TIMEOUT_SECONDS))
        except PLUGIN_EXCEPTIONS as error:
            log.error("validating the settings of %s failed: %s", self.name, origin(error))
            return []
        return [f"connections.{self.name}.{problem}" for problem in problems]

    def find_ids(self, text: str) -> list[str]:
        """Return the ids of its jobs whose URLs occur in a text."""
        try:
            ids = self._runner.call_method(_list_ids, self.provider, text)
            return [id_ for id_ in ids if 0 < len(id_) <= MAX_ID_LENGTH]
        except PLUGIN_EXCEPTIONS as error:
            log.error("the provider of %s failed to find URLs: %s", self.name, origin(error))
            return []

    def card(self, job: Job, view: CardContext) -> Message:
        """Return the provider's card of a job, or the default card if rendering fails."""
        try:
            return _checked_message(self._runner.call_method(self.provider.format_job, job, view))
        except PLUGIN_EXCEPTIONS as error:
            log.error("the provider of %s failed to format a job: %s", self.name, origin(error))
            return super().card(job, view)

    def reply(self, change: Change, view: CardContext) -> Message:
        """Return the provider's thread reply for a change, or the default if rendering fails."""
        try:
            return _checked_message(
                self._runner.call_method(self.provider.format_change, change, view)
            )
        except PLUGIN_EXCEPTIONS as error:
            log.error("the provider of %s failed to format a change: %s", self.name, origin(error))
            return super().reply(change, view)

    async def close(self) -> None:
        """Close the HTTP client and stop the plugin's thread."""
        await self._runner.close()

    async def _close_http(self) -> None:
        await self.provider.http.close()

    def _checked_job(self, result: object, ref: JobRef) -> Job | JobthreadError:
        """Return a job under the requested reference, even if its provider writes another one."""
        if isinstance(result, Job):
            return result.replace(ref=ref) if result.ref != ref else result
        return result if isinstance(result, JobthreadError) else self._invalid_result(result)

    def _invalid_result(self, result: object) -> AnswerNotUnderstood:
        error = AnswerNotUnderstood(f"The answer of {self.name} was not understood.")
        error.details = f"its plugin returned a {type(result).__name__}"
        return error


def _list_ids(provider: Provider[Any], text: str) -> list[str]:
    return list(provider.find_ids(text))


def _checked_message(message: object) -> Message:
    if not isinstance(message, Message):
        raise TypeError("a format method must return a Message")
    return message


class Connections:
    """The configured connections by name."""

    def __init__(self, connections: Iterable[Connection]) -> None:
        self._by_name = {connection.name: connection for connection in connections}

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def __getitem__(self, name: str) -> Connection:
        return self._by_name[name]

    def get(self, name: str) -> Connection | None:
        """Return the connection of this name, or None."""
        return self._by_name.get(name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in the order of the settings."""
        return tuple(self._by_name)

    def renderer(self, name: str) -> JobRenderer:
        """Return the connection of this name, or the default renderer if it no longer exists."""
        return self._by_name.get(name) or JobRenderer()

    async def fetch(self, ref: JobRef) -> Job | JobthreadError:
        """Fetch a requested job; a connection that no longer exists is an error."""
        connection = self._by_name.get(ref.connection)
        return await connection.fetch(ref) if connection else _no_connection(ref)

    async def fetch_batch(self, refs: Sequence[JobRef]) -> dict[JobRef, Job | JobthreadError]:
        """Fetch jobs of one connection; a connection that no longer exists is an error."""
        connection = self._by_name.get(refs[0].connection)
        if connection is None:
            return {ref: _no_connection(ref) for ref in refs}
        return await connection.fetch_batch(refs)

    async def validate_settings(self) -> list[str]:
        """Return the problems that providers find in their settings."""
        return [problem for each in self for problem in await each.validate_settings()]

    async def close(self) -> None:
        """Close the HTTP clients and stop the plugin threads."""
        for connection in self:
            await connection.close()


def _no_connection(ref: JobRef) -> BadReference:
    return BadReference(f"There is no connection {ref.connection} any more.")
