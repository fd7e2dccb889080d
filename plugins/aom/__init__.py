"""Plugin for Huawei Cloud Application Operations Management (AOM): workflow executions."""

from __future__ import annotations

import re
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, ClassVar, TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from bot.sdk import (
    BadReference,
    ConnectionSettings,
    IdFormat,
    Job,
    JobNotFound,
    JobRef,
    Status,
    hookimpl,
    ids_in,
)
from plugins.aom import workflows
from plugins.aom.errors import map_error
from plugins.aom.simulator import simulation
from plugins.aom.translator import STATUSES, Execution, translate
from plugins.huaweicloud.provider import HuaweiCloudProvider
from plugins.huaweicloud.settings import HuaweiCloudSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


T = TypeVar("T", bound=BaseModel)

MISSING_ID = "0" * 32

# The id format is undocumented. Bare ids must be long, so that words are not taken for ids.
_WORKFLOW = r"(?!JOB[0-9A-Fa-f]{8}-)[0-9A-Za-z_-]{20,64}"  # JOB… is a ServiceStage id
_PAIR = re.compile(r"[0-9A-Za-z_-]{1,64}/[0-9A-Za-z_-]{1,64}")
_URL_PATH = re.compile(r"[0-9A-Za-z_-]{1,64}(?:/executions(?:/[0-9A-Za-z_-]{1,64})?)?")
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\x9f\\]|^\.{0,2}$")  # not allowed in a path or a signature


class AomSettings(HuaweiCloudSettings):
    """Settings of an AOM connection: one region and project."""

    service: ClassVar[str] = "aom"


class Aom(HuaweiCloudProvider[AomSettings]):
    """Fetches one execution at a time, with its nodes and their output on each host."""

    kind = "aom"
    title = "Huawei Cloud AOM"
    Settings: ClassVar[type[ConnectionSettings]] = AomSettings
    statuses: ClassVar[Mapping[str, Status]] = STATUSES
    id_format = IdFormat(
        re.compile(rf"{_WORKFLOW}(?:/[0-9A-Za-z_-]{{8,64}})?"),
        example="4f1d7c0e92ab46d8b35e60c1a7f8d294/0b6e4d92-1c35-47fa-92d8-5af310c7e684",
    )
    example_name = "workflows"
    version = "v1"
    console = "aom2"
    map_error = staticmethod(map_error)
    simulator = staticmethod(simulation)

    async def fetch_job(self, ref: JobRef) -> Job:
        """Return the execution; a workflow's id alone means its newest execution."""
        workflow, *execution = ref.id.split("/")
        if len(execution) > 1 or any(map(_UNSAFE.search, (workflow, *execution))):
            raise BadReference(
                "An AOM reference is a workflow's id, or with a slash that of its execution.",
                next_step=f"It looks like {self.id_format.example}.",
            )
        if execution:
            return self._job(ref, await self._execution(workflow, execution[0]))
        last = workflows.newest_execution(
            await self._get(workflows.History, workflow, "executions")
        )
        if last is None:
            raise JobNotFound(f"{self.name} knows no execution of this workflow.")
        found = await self._execution(workflow, last.execution_id)
        return self._job(ref, found.model_copy(update={"created_by": last.created_by}))

    def _job(self, ref: JobRef, payload: Execution) -> Job:
        job = translate(ref, payload)
        return job.replace(url=self.console_url(job))

    async def recent_jobs(self, limit: int) -> Sequence[Job]:
        """Return the newest execution of each recently run workflow, newest first."""
        listing = await self.http.post(
            f"{self._project_path}/cms/workflow-list",
            workflows.WorkflowPage,
            json=workflows.NEWEST_FIRST | {"page": 0, "size": min(limit, workflows.MAX_PAGE_SIZE)},
            map_error=partial(map_error, name=self.name),
        )
        jobs = (job.replace(url=self.console_url(job)) for job in listing.jobs(self.name))
        return list(islice(jobs, limit))

    async def _fetch_missing(self) -> object:
        return await self._execution(MISSING_ID, MISSING_ID)

    async def _execution(self, workflow: str, execution: str) -> Execution:
        return await self._get(Execution, workflow, "executions", execution, "status")

    async def _get(self, model: type[T], *path: str) -> T:
        segments = "/".join(quote(segment, safe="") for segment in path)
        return await self._fetch(f"/cms/workflow/{segments}", model)

    def find_ids(self, text: str) -> Iterable[str]:
        """Return the ids in URLs of this connection's API and of its console_url."""
        api = f"{self.settings.base_url}{self._project_path}/cms/workflow/{{id}}"
        for path in ids_in(text, api, _URL_PATH):
            yield path.replace("/executions", "", 1)
        yield from ids_in(text, self.settings.console_url, _PAIR)


@hookimpl
def register_providers() -> Iterable[type[Aom]]:
    """Register AOM."""
    return [Aom]
