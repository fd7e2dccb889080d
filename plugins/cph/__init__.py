"""Huawei Cloud Phone Host: requests that do something to many cloud phones and servers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import parse_qs

from bot.errors import AnswerNotUnderstood, BadReference, JobNotFound, JobthreadError
from bot.providers import links
from bot.providers.hookspecs import hookimpl
from plugins.cph import known
from plugins.cph.errors import explain
from plugins.cph.translator import ONE, STATUSES, Answer, JobPayload, translate
from plugins.huaweicloud.provider import HuaweiCloudProvider
from plugins.huaweicloud.settings import HuaweiCloudSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.models import Job, JobRef, Status
    from bot.providers.provider import ConnectionSettings

PATH = "/cloud-phone/jobs"
PAGE = 100  # jobs in one answer: the most that the API gives
MOST_PAGES = 200
NOBODYS = "0" * 32

_HEX = re.compile(r"[0-9a-fA-F]{32}")
_QUERY = re.compile(r"[0-9A-Za-z_&=%,.-]*[0-9A-Za-z]")
_FIT = re.compile(rf"(?:{ONE})?[0-9A-Za-z_-]{{1,64}}")  # a comma would be a second request


class CphSettings(HuaweiCloudSettings):
    """A Cloud Phone Host of one region and project."""

    service: ClassVar[str] = "cph"


class Cph(HuaweiCloudProvider[CphSettings]):
    """Reads what was asked of many phones at once; many requests in one call while polling."""

    kind = "cph"
    title = "Huawei Cloud Phone Host"
    Settings: ClassVar[type[ConnectionSettings]] = CphSettings
    statuses: ClassVar[Mapping[str, Status]] = STATUSES
    id_pattern = re.compile(rf"(?:{ONE})?{_HEX.pattern}")
    example_name = "phones"
    example_id = "6837531fd3f54550927b930180a706bf"
    batch_size = 20  # requests in one call: the most that the API takes
    version = "v1"
    console = "cph"
    explain = staticmethod(explain)

    async def fetch_job(self, ref: JobRef) -> Job:
        """Return the request with all its jobs, which come in pages, or one job as `jobs/ID`."""
        if not _FIT.fullmatch(ref.id):
            raise BadReference(
                "A Cloud Phone request id has only letters and digits.",
                next_step=f"It looks like {self.example_id}; write {ONE} before the id of a job.",
            )
        if ref.id.startswith(ONE):
            id_ = ref.id.removeprefix(ONE)
            return self._job(ref, [await self._ask(f"{PATH}/{id_}", JobPayload)])
        return self._job(ref, await self._all({"request_id": ref.id}))

    async def fetch_jobs(
        self, refs: Sequence[JobRef], seen: Mapping[JobRef, Job]
    ) -> dict[JobRef, Job | JobthreadError]:
        """Return the requests whose jobs were seen by one call, the others by a call each."""
        before = [ref for ref in refs if ref in seen and not ref.id.startswith(ONE)]
        found = await self._together(before, seen) if len(before) > 1 else {}
        return found | await super().fetch_jobs([ref for ref in refs if ref not in found], seen)

    async def _together(
        self, refs: Sequence[JobRef], seen: Mapping[JobRef, Job]
    ) -> dict[JobRef, Job | JobthreadError]:
        """Ask for several requests at once; those that cannot be told apart are left out."""
        try:
            jobs = await self._all({"request_ids": ",".join(ref.id for ref in refs)})
        except JobNotFound:
            return {}
        except JobthreadError as error:
            return dict.fromkeys(refs, error)
        return {ref: self._job(ref, mine) for ref, mine in known.split(refs, seen, jobs).items()}

    def _job(self, ref: JobRef, payloads: Sequence[JobPayload]) -> Job:
        if not payloads:
            raise JobNotFound(
                f"{self.name} knows no such request.",
                next_step=f"Check the id. Is it that of a single job? Then write {ONE} before it.",
            )
        job = translate(ref, payloads)
        return job.but(url=self.console_url(job))

    async def _ask_for_nobodys(self) -> object:
        return await self._ask(PATH, Answer, params={"request_id": NOBODYS, "limit": 1})

    async def _all(self, query: Mapping[str, str]) -> list[JobPayload]:
        """Return the jobs of all pages, each once: the last page is short, or tells nothing new."""
        found: dict[object, JobPayload] = {}
        for number in range(MOST_PAGES):
            params = {**query, "limit": PAGE, "offset": number * PAGE}
            page = (await self._ask(PATH, Answer, params=params)).jobs
            known = len(found)
            found |= {job.job_id or known + n: job for n, job in enumerate(page)}
            if len(page) < PAGE or len(found) == known:
                return list(found.values())
        raise AnswerNotUnderstood(
            f"{self.name}: more than {MOST_PAGES * PAGE:,} jobs are too many."
        )

    def recognise(self, text: str) -> Iterable[str]:
        """Return the ids in URLs of this connection's API, and of its console_url."""
        api = f"{self.settings.base_url}{self._project}{PATH}"
        for query in links.ids_in(text, f"{api}?{{id}}", _QUERY):
            asked = parse_qs(query)
            wanted = asked.get("request_ids") or asked.get("request_id") or []
            yield from filter(_HEX.fullmatch, ",".join(wanted).split(","))
        for id_ in links.ids_in(text, f"{api}/{{id}}", _HEX):
            yield f"{ONE}{id_}"
        yield from links.ids_in(text, self.settings.console_url, _HEX)

    def console_url(self, job: Job) -> str | None:
        """Return the page of a request; a single job has only Cloud Phone's own."""
        single = self.settings.console_url and job.ref.id.startswith(ONE)
        return self._home if single else super().console_url(job)


@hookimpl
def register_providers() -> Iterable[type[Cph]]:
    """Bring Cloud Phone Host."""
    return [Cph]
