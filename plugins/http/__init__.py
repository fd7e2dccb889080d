"""Any JSON API that tells of jobs: a provider that is described in the settings, without code."""

from __future__ import annotations

import re
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote

from bot.errors import AnswerNotUnderstood, BadReference, JobNotFound
from bot.models import JobRef
from bot.providers.hookspecs import hookimpl
from bot.providers.http import parsed
from bot.providers.links import ids_in
from bot.providers.provider import Endpoint, Provider
from plugins.http import example, templates
from plugins.http.authentication import auth
from plugins.http.errors import Answer, explain
from plugins.http.settings import HttpSettings
from plugins.http.translator import STATUSES, translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bot.clock import Clock
    from bot.models import Job, Status
    from bot.providers.provider import ConnectionSettings

NOBODYS = ("jobthread-check", "0", "0" * 32, "00000000-0000-0000-0000-000000000000")

_SET_CHECK_ID = "Set check_id to a job that stays, if this API refuses ids that are made up."
_URL = re.compile(r"https?://[^\s<>|\"'`]+", re.IGNORECASE)
_IN_URL = re.compile(r"[^\s?#&]+")  # whatever the ids look like: they may be written with %
_ENDS = ".,;:!?)]}*"  # of the sentence around a URL


class HttpJobs(Provider[HttpSettings]):
    """Asks for one job at a time, as the settings say."""

    kind = "http"
    title = "A JSON API over HTTP"
    Settings: ClassVar[type[ConnectionSettings]] = HttpSettings
    statuses: ClassVar[Mapping[str, Status]] = STATUSES
    example_name = "builds"
    example_id = "build-1041"

    def __init__(self, name: str, settings: HttpSettings, clock: Clock) -> None:
        super().__init__(name, settings, clock)
        # What other kinds have in common, here each connection has of its own.
        vars(self).update(
            title=settings.title or name,
            statuses=settings.words,
            id_pattern=re.compile(settings.id_pattern),
            example_id=settings.example_id or settings.check_id,
        )

    def connect(self) -> Endpoint:
        """Return how the API is reached, as whom, and with which headers."""
        return Endpoint(
            templates.origin(self.settings.url),
            auth=auth(self.settings),
            headers={"Accept": "application/json", **self.settings.headers},
            ca_file=self.settings.ca_file or None,
        )

    async def fetch_job(self, ref: JobRef) -> Job:
        """Return the job that the API tells of."""
        job = translate(ref, await self._ask(ref.id), self.settings)
        return job.but(url=self.console_url(job))

    async def _ask(self, id_: str) -> Any:
        if not self.id_pattern.fullmatch(id_) or {"", ".", ".."} & set(id_.split("/")):
            raise BadReference(f"{self.name} has no ids of that form.")
        body = self.settings.body
        response = await self.http.call(
            self.settings.method,
            templates.filled(self.settings.url, id_),
            json=None if body is None else templates.body(body, id_),
            explain=partial(explain, settings=self.settings, name=self.name),
        )
        return parsed(response, Answer, self.name).root

    async def check(self) -> str:
        """Ask for `check_id`, or for a job that nobody has; try the settings on `example`."""
        said = [await self._check_job() if self.settings.check_id else await self._check_nobody()]
        if self.settings.example:
            said.append(f"In {self.settings.example}: {self._tried()}")
        return " ".join(said)

    async def rehearse(self) -> Sequence[str]:
        """Try the promises of every provider on the recorded answer, if there is one."""
        if not self.settings.example:
            return ()
        from plugins.http import rehearsal  # noqa: PLC0415  only the start needs it

        understudy = HttpJobs(self.name, self.settings, self.clock)
        return await rehearsal.problems(
            rehearsal.Rehearsal(understudy, self.settings), self.settings
        )

    async def _check_job(self) -> str:
        id_ = self.settings.check_id
        try:
            answer = await self._ask(id_)
        except JobNotFound as error:
            raise JobNotFound(
                error.sentence, next_step="Set check_id to a job that stays."
            ) from None
        translate(JobRef(connection=self.name, id=id_), answer, self.settings)
        return f"{self._there} In its answer for {id_}: {example.told(answer, self.settings)}"

    async def _check_nobody(self) -> str:
        fitting = (id_ for id_ in NOBODYS if self.id_pattern.fullmatch(id_))
        if (id_ := next(fitting, None)) is None:
            return f"{self.settings.url} is set; set check_id to a job that stays, to try it."
        try:
            await self._ask(id_)
        except JobNotFound:
            return f"{self._there} It knows no job {id_}, as it should."
        except AnswerNotUnderstood as error:
            raise AnswerNotUnderstood(error.sentence, next_step=_SET_CHECK_ID) from None
        return f"{self._there} It even knows a job {id_}: set not_found, and check_id."

    @property
    def _there(self) -> str:
        return f"{self.title} answers at {templates.origin(self.settings.url)}."

    def _tried(self) -> str:
        try:
            return example.told(self.settings.recorded, self.settings)
        except (OSError, ValueError, AnswerNotUnderstood):
            return "no job can be read from it any more."

    def recognise(self, text: str) -> Iterable[str]:
        """Return the ids in URLs of this API, and of its console_url."""
        for url in _URL.findall(text):
            for template in (self.settings.url, self.settings.console_url):
                for written in ids_in(url.rstrip(_ENDS), template, _IN_URL):
                    yield from self._id(written)

    def _id(self, written: str) -> Iterator[str]:
        """Return the id that stands in a URL, perhaps with more of its path behind it."""
        parts = written.split("/")
        shorter = (unquote("/".join(parts[:end])) for end in range(len(parts), 0, -1))
        yield from islice(filter(self.id_pattern.fullmatch, shorter), 1)

    def console_url(self, job: Job) -> str | None:
        """Return the job's page by `console_url`, if that is set."""
        return templates.filled(self.settings.console_url, job.ref.id) or None


@hookimpl
def register_providers() -> Iterable[type[HttpJobs]]:
    """Bring the kind without code."""
    return [HttpJobs]
