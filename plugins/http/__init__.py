"""Plugin for any JSON API of jobs: a declarative provider, described by settings alone."""

from __future__ import annotations

import re
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote

from bot.sdk import (
    AnswerNotUnderstood,
    BadReference,
    Clock,
    ConnectionSettings,
    Endpoint,
    IdFormat,
    Job,
    JobNotFound,
    JobRef,
    Provider,
    Status,
    hookimpl,
    ids_in,
    parse_response,
)
from plugins.http import recorded_answer, templates
from plugins.http.authentication import auth
from plugins.http.errors import Answer, map_error
from plugins.http.settings import HttpSettings
from plugins.http.simulator import simulation
from plugins.http.translator import translate
from plugins.http.words import STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


MISSING_IDS = ("jobthread-check", "0", "0" * 32, "00000000-0000-0000-0000-000000000000")

_SET_CHECK_ID = "Set check_id to a job that stays, if this API refuses ids that are made up."
_URL = re.compile(r"https?://[^\s<>|\"'`]+", re.IGNORECASE)
_ID_IN_URL = re.compile(r"[^\s?#&]+")  # any id, possibly percent-encoded
_PUNCTUATION = ".,;:!?)]}*"  # after a URL in a sentence


class HttpJobs(Provider[HttpSettings]):
    """Declarative provider: fetches one job at a time, as the settings describe."""

    kind = "http"
    title = "A JSON API over HTTP"
    Settings: ClassVar[type[ConnectionSettings]] = HttpSettings
    statuses: ClassVar[Mapping[str, Status]] = STATUSES
    example_name = "builds"
    simulator = staticmethod(simulation)
    id_format = IdFormat(example="build-1041")

    def __init__(self, name: str, settings: HttpSettings, clock: Clock) -> None:
        super().__init__(name, settings, clock)
        # Class attributes of other providers; here each connection has its own.
        vars(self).update(
            title=settings.title or name,
            statuses=settings.status_table,
        )
        self.id_format = IdFormat(
            re.compile(settings.id_pattern), example=settings.example_id or settings.check_id
        )

    def connect(self) -> Endpoint:
        """Return the API's endpoint with its authentication and headers."""
        return Endpoint(
            templates.origin(self.settings.url),
            auth=auth(self.settings),
            headers={"Accept": "application/json", **self.settings.headers},
            ca_file=self.settings.ca_file or None,
        )

    async def fetch_job(self, ref: JobRef) -> Job:
        """Return the job that the API's response describes."""
        job = translate(ref, await self._fetch(ref.id), self.settings)
        return job.replace(url=self.console_url(job))

    async def _fetch(self, id_: str) -> Any:
        if not self.id_format.pattern.fullmatch(id_) or {"", ".", ".."} & set(id_.split("/")):
            raise BadReference(f"{self.name} has no ids of that form.")
        body = self.settings.body
        response = await self.http.call(
            self.settings.method,
            templates.fill_url(self.settings.url, id_),
            json=None if body is None else templates.fill_body(body, id_),
            map_error=partial(map_error, settings=self.settings, name=self.name),
        )
        return parse_response(response, Answer, self.name).root

    async def check(self) -> str:
        """Fetch `check_id`, or a job that does not exist; try the settings on `example`."""
        sentences = [
            await self._check_job() if self.settings.check_id else await self._check_missing()
        ]
        if self.settings.example:
            sentences.append(f"In {self.settings.example}: {self._try_example()}")
        return " ".join(sentences)

    async def validate_settings(self) -> Sequence[str]:
        """Run the conformance checks on the recorded answer, if there is one."""
        if not self.settings.example:
            return ()
        if problem := recorded_answer.example_problem(self.settings):
            return (problem,)
        from plugins.http import self_test  # noqa: PLC0415  only needed at start-up

        provider = HttpJobs(self.name, self.settings, self.clock)
        return await self_test.run_checks(
            self_test.SelfTest(provider, self.settings), self.settings
        )

    async def _check_job(self) -> str:
        id_ = self.settings.check_id
        try:
            answer = await self._fetch(id_)
        except JobNotFound as error:
            raise JobNotFound(
                error.sentence, next_step="Set check_id to a job that stays."
            ) from None
        translate(JobRef(connection=self.name, id=id_), answer, self.settings)
        findings = recorded_answer.describe_findings(answer, self.settings)
        return f"{self._reachable} In its answer for {id_}: {findings}"

    async def _check_missing(self) -> str:
        candidates = (id_ for id_ in MISSING_IDS if self.id_format.pattern.fullmatch(id_))
        if (id_ := next(candidates, None)) is None:
            return f"{self.settings.url} is set; set check_id to a job that stays, to try it."
        try:
            await self._fetch(id_)
        except JobNotFound:
            return f"{self._reachable} It knows no job {id_}, as it should."
        except AnswerNotUnderstood as error:
            raise AnswerNotUnderstood(error.sentence, next_step=_SET_CHECK_ID) from None
        return f"{self._reachable} It even knows a job {id_}: set not_found, and check_id."

    @property
    def _reachable(self) -> str:
        return f"{self.title} answers at {templates.origin(self.settings.url)}."

    def _try_example(self) -> str:
        try:
            return recorded_answer.describe_findings(self.settings.recorded_answer, self.settings)
        except (OSError, ValueError, AnswerNotUnderstood):
            return "no job can be read from it any more."

    def find_ids(self, text: str) -> Iterable[str]:
        """Return the ids in URLs of this API and of its console_url."""
        for url in _URL.findall(text):
            for template in (self.settings.url, self.settings.console_url):
                for raw_id in ids_in(url.rstrip(_PUNCTUATION), template, _ID_IN_URL):
                    yield from self._id(raw_id)

    def _id(self, raw_id: str) -> Iterator[str]:
        """Return the id in a URL; more of the path may follow it."""
        parts = raw_id.split("/")
        shorter = (unquote("/".join(parts[:end])) for end in range(len(parts), 0, -1))
        yield from islice(filter(self.id_format.pattern.fullmatch, shorter), 1)

    def console_url(self, job: Job) -> str | None:
        """Return the job's page by the setting `console_url`, if it is set."""
        return templates.fill_url(self.settings.console_url, job.ref.id) or None


@hookimpl
def register_providers() -> Iterable[type[HttpJobs]]:
    """Register the declarative provider."""
    return [HttpJobs]
