"""Plugin for Huawei Cloud Phone Host: requests that act on many cloud phones or servers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import parse_qs

from bot.sdk import (
    AnswerNotUnderstood,
    BadReference,
    ConnectionSettings,
    IdFormat,
    Job,
    JobNotFound,
    JobRef,
    JobthreadError,
    Status,
    hookimpl,
    ids_in,
)
from plugins.cph import request_matching
from plugins.cph.errors import map_error
from plugins.cph.simulator import simulation
from plugins.cph.translator import JOB_PREFIX, STATUSES, Answer, JobPayload, translate
from plugins.huaweicloud.provider import HuaweiCloudProvider
from plugins.huaweicloud.settings import HuaweiCloudSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


JOBS_PATH = "/cloud-phone/jobs"
PAGE_SIZE = 100  # jobs in one page: the API's maximum
MAX_PAGES = 200
MISSING_ID = "0" * 32

_HEX = re.compile(r"[0-9a-fA-F]{32}")
_QUERY = re.compile(r"[0-9A-Za-z_&=%,.-]*[0-9A-Za-z]")
_ID = re.compile(rf"(?:{JOB_PREFIX})?[0-9A-Za-z_-]{{1,64}}")  # a comma would add a second request


class CphSettings(HuaweiCloudSettings):
    """Settings of a Cloud Phone Host connection: one region and project."""

    service: ClassVar[str] = "cph"


class Cph(HuaweiCloudProvider[CphSettings]):
    """Fetches requests with their jobs; polls many requests in one call."""

    kind = "cph"
    title = "Huawei Cloud Phone Host"
    Settings: ClassVar[type[ConnectionSettings]] = CphSettings
    statuses: ClassVar[Mapping[str, Status]] = STATUSES
    id_format = IdFormat(
        re.compile(rf"(?:{JOB_PREFIX})?{_HEX.pattern}"), example="6837531fd3f54550927b930180a706bf"
    )
    example_name = "phones"
    batch_size = 20  # requests in one call: the API's maximum
    version = "v1"
    console = "cph"
    map_error = staticmethod(map_error)
    simulator = staticmethod(simulation)

    async def fetch_job(self, ref: JobRef) -> Job:
        """Return the request with all its jobs from all pages, or one job as `jobs/ID`."""
        if not _ID.fullmatch(ref.id):
            raise BadReference(
                "A Cloud Phone request id has only letters and digits.",
                next_step=f"It looks like {self.id_format.example}; "
                f"write {JOB_PREFIX} before the id of a job.",
            )
        if ref.id.startswith(JOB_PREFIX):
            id_ = ref.id.removeprefix(JOB_PREFIX)
            return self._job(ref, [await self._fetch(f"{JOBS_PATH}/{id_}", JobPayload)])
        return self._job(ref, await self._fetch_all({"request_id": ref.id}))

    async def fetch_jobs(
        self, refs: Sequence[JobRef], seen: Mapping[JobRef, Job]
    ) -> dict[JobRef, Job | JobthreadError]:
        """Fetch previously seen requests in one call, the others in one call each."""
        before = [ref for ref in refs if ref in seen and not ref.id.startswith(JOB_PREFIX)]
        found = await self._fetch_batch(before, seen) if len(before) > 1 else {}
        return found | await super().fetch_jobs([ref for ref in refs if ref not in found], seen)

    async def _fetch_batch(
        self, refs: Sequence[JobRef], seen: Mapping[JobRef, Job]
    ) -> dict[JobRef, Job | JobthreadError]:
        """Fetch several requests at once; leave out those whose jobs match no single one."""
        try:
            jobs = await self._fetch_all({"request_ids": ",".join(ref.id for ref in refs)})
        except JobNotFound:
            return {}
        except JobthreadError as error:
            return dict.fromkeys(refs, error)
        return {
            ref: self._job(ref, mine)
            for ref, mine in request_matching.match_jobs(refs, seen, jobs).items()
        }

    def _job(self, ref: JobRef, payloads: Sequence[JobPayload]) -> Job:
        if not payloads:
            raise JobNotFound(
                f"{self.name} knows no such request.",
                next_step="Check the id. Is it that of a single job? "
                f"Then write {JOB_PREFIX} before it.",
            )
        job = translate(ref, payloads)
        return job.replace(url=self.console_url(job))

    async def _fetch_missing(self) -> object:
        return await self._fetch(JOBS_PATH, Answer, params={"request_id": MISSING_ID, "limit": 1})

    async def _fetch_all(self, query: Mapping[str, str]) -> list[JobPayload]:
        """Return the jobs of all pages, each once, up to a short page or one without new jobs."""
        found: dict[object, JobPayload] = {}
        for number in range(MAX_PAGES):
            params = {**query, "limit": PAGE_SIZE, "offset": number * PAGE_SIZE}
            page = (await self._fetch(JOBS_PATH, Answer, params=params)).jobs
            count = len(found)
            found |= {job.job_id or count + n: job for n, job in enumerate(page)}
            if len(page) < PAGE_SIZE or len(found) == count:
                return list(found.values())
        raise AnswerNotUnderstood(
            f"{self.name}: more than {MAX_PAGES * PAGE_SIZE:,} jobs are too many."
        )

    def find_ids(self, text: str) -> Iterable[str]:
        """Return the ids in URLs of this connection's API and of its console_url."""
        api = f"{self.settings.base_url}{self._project_path}{JOBS_PATH}"
        for query in ids_in(text, f"{api}?{{id}}", _QUERY):
            params = parse_qs(query)
            wanted = params.get("request_ids") or params.get("request_id") or []
            yield from filter(_HEX.fullmatch, ",".join(wanted).split(","))
        for id_ in ids_in(text, f"{api}/{{id}}", _HEX):
            yield f"{JOB_PREFIX}{id_}"
        yield from ids_in(text, self.settings.console_url, _HEX)

    def console_url(self, job: Job) -> str | None:
        """Return the page of a request; a single job has only the service's console page."""
        single = self.settings.console_url and job.ref.id.startswith(JOB_PREFIX)
        return self._service_page if single else super().console_url(job)


@hookimpl
def register_providers() -> Iterable[type[Cph]]:
    """Register Cloud Phone Host."""
    return [Cph]
