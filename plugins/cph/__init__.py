"""Huawei Cloud Phone Host: requests that do something to many cloud phones and servers."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, ClassVar, TypeVar
from urllib.parse import parse_qs, quote

from pydantic import BaseModel

from bot import links
from bot.errors import AnswerNotUnderstood, BadReference, JobNotFound, JobthreadError
from bot.hookspecs import hookimpl
from bot.provider import Endpoint, Provider
from plugins.cph.errors import explain
from plugins.cph.known import Known
from plugins.cph.translator import ONE, STATUSES, Answer, JobPayload, translate
from plugins.huaweicloud import credentials, hosts
from plugins.huaweicloud.settings import HuaweiCloudSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.clock import Clock
    from bot.models import Job, JobRef, Status
    from bot.provider import ConnectionSettings, Simulation

PAGE = 100  # jobs in one answer: the most that the API gives
MOST_PAGES = 200
NOBODYS = "0" * 32

_HEX = re.compile(r"[0-9a-fA-F]{32}")
_QUERY = re.compile(r"[0-9A-Za-z_&=%,.-]*[0-9A-Za-z]")
_FIT = re.compile(rf"(?:{ONE})?[0-9A-Za-z_-]{{1,64}}")  # a comma would be a second request

T = TypeVar("T", bound=BaseModel)


class CphSettings(HuaweiCloudSettings):
    """A Cloud Phone Host of one region and project."""

    service: ClassVar[str] = "cph"


class Cph(Provider[CphSettings]):
    """Reads what was asked of many phones at once; many requests in one call while polling."""

    kind = "cph"
    title = "Huawei Cloud Phone Host"
    Settings: ClassVar[type[ConnectionSettings]] = CphSettings
    statuses: ClassVar[Mapping[str, Status]] = STATUSES
    id_pattern = re.compile(rf"(?:{ONE})?{_HEX.pattern}")
    example_name = "phones"
    example_id = "6837531fd3f54550927b930180a706bf"
    batch_size = 20  # requests in one call: the most that the API takes

    def __init__(self, name: str, settings: CphSettings, clock: Clock) -> None:
        super().__init__(name, settings, clock)
        self._known = Known()

    def connect(self) -> Endpoint:
        """Return how Cloud Phone is reached, signed in as the settings say."""
        auth = credentials.auth(self.name, self.settings, self.clock)
        return Endpoint(self.settings.base_url, auth=auth)

    async def fetch_job(self, ref: JobRef) -> Job:
        """Return the request with all its jobs, which come in pages, or one job as `jobs/ID`."""
        if not _FIT.fullmatch(ref.id):
            raise BadReference(
                "A Cloud Phone request id has only letters and digits.",
                next_step=f"It looks like {self.example_id}; write {ONE} before the id of a job.",
            )
        if ref.id.startswith(ONE):
            return self._job(ref, [await self._get(f"/{ref.id.removeprefix(ONE)}", JobPayload)])
        return self._job(ref, await self._all({"request_id": ref.id}))

    async def fetch_jobs(self, refs: Sequence[JobRef]) -> dict[JobRef, Job | JobthreadError]:
        """Return the requests whose jobs are known by one call, the others by a call each."""
        known = [ref for ref in refs if ref.id in self._known]
        found = await self._together(known) if len(known) > 1 else {}
        return found | await super().fetch_jobs([ref for ref in refs if ref not in found])

    async def _together(self, refs: Sequence[JobRef]) -> dict[JobRef, Job | JobthreadError]:
        """Ask for several requests at once; those that cannot be told apart are left out."""
        ids = [ref.id for ref in refs]
        try:
            parts = self._known.split(ids, await self._all({"request_ids": ",".join(ids)}))
        except JobNotFound:
            return {}
        except JobthreadError as error:
            return dict.fromkeys(refs, error)
        return {ref: self._job(ref, parts[ref.id]) for ref in refs if ref.id in parts}

    def _job(self, ref: JobRef, payloads: Sequence[JobPayload]) -> Job:
        """Return the job, and remember what it is made of while it lives."""
        if not payloads:
            raise JobNotFound(
                f"{self.name} knows no such request.",
                next_step=f"Check the id. Is it that of a single job? Then write {ONE} before it.",
            )
        job = translate(ref, payloads)
        if job.status.terminal or ref.id.startswith(ONE):
            self._known.forget(ref.id)
        else:
            self._known.learn(ref.id, payloads)
        return job.but(url=self.console_url(job))

    async def check(self) -> str:
        """Ask for a request that nobody made: that it has no jobs proves that the rest is right."""
        with suppress(JobNotFound):
            await self._get("", Answer, {"request_id": NOBODYS, "limit": 1})
        return f"{self.title} answers at {self.settings.base_url}, and accepts the credentials."

    async def _all(self, query: Mapping[str, str]) -> list[JobPayload]:
        """Return the jobs of all pages, each once: the last page is short, or tells nothing new."""
        found: dict[object, JobPayload] = {}
        for number in range(MOST_PAGES):
            place = {"limit": PAGE, "offset": number * PAGE}
            page = (await self._get("", Answer, {**query, **place})).jobs
            known = len(found)
            found |= {job.job_id or known + n: job for n, job in enumerate(page)}
            if len(page) < PAGE or len(found) == known:
                return list(found.values())
        raise AnswerNotUnderstood(
            f"{self.name}: more than {MOST_PAGES * PAGE:,} jobs are too many."
        )

    async def _get(
        self, rest: str, model: type[T], params: Mapping[str, str | int] | None = None
    ) -> T:
        return await self.http.get(
            f"/v1/{self.settings.project_id}/cloud-phone/jobs{rest}",
            model,
            params=params,
            explain=partial(explain, name=self.name),
        )

    def recognise(self, text: str) -> Iterable[str]:
        """Return the ids in URLs of this connection's API, and of its console_url."""
        api = f"{self.settings.base_url}/v1/{self.settings.project_id}/cloud-phone/jobs"
        for query in links.ids_in(text, f"{api}?{{id}}", _QUERY):
            asked = parse_qs(query)
            wanted = asked.get("request_ids") or asked.get("request_id") or []
            yield from filter(_HEX.fullmatch, ",".join(wanted).split(","))
        for id_ in links.ids_in(text, f"{api}/{{id}}", _HEX):
            yield f"{ONE}{id_}"
        yield from links.ids_in(text, self.settings.console_url, _HEX)

    def console_url(self, job: Job) -> str | None:
        """Return the page of `console_url`, or else Cloud Phone's own in the console."""
        if self.settings.console_url and not job.ref.id.startswith(ONE):
            return self.settings.console_url.replace("{id}", quote(job.ref.id, safe=""))
        return hosts.console_page("cph", self.settings.home_region)

    @classmethod
    def simulator(cls, clock: Clock) -> Simulation:
        """Return a Cloud Phone Host with requests to try."""
        from plugins.cph.simulator import simulation  # noqa: PLC0415  aiohttp's server

        return simulation(clock)


@hookimpl
def register_providers() -> Iterable[type[Cph]]:
    """Bring Cloud Phone Host."""
    return [Cph]
