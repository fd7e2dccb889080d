"""Plugin for Huawei Cloud ServiceStage: jobs that deploy and operate application components."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from bot.sdk import (
    MAX_ID_LENGTH,
    AnswerNotUnderstood,
    BadReference,
    ConnectionSettings,
    IdFormat,
    Job,
    JobRef,
    Status,
    hookimpl,
)
from plugins.huaweicloud.provider import HuaweiCloudProvider
from plugins.huaweicloud.settings import HuaweiCloudSettings
from plugins.servicestage import components
from plugins.servicestage.errors import map_error
from plugins.servicestage.simulator import simulation
from plugins.servicestage.translator import STATUSES, Answer, TaskPayload, translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


PAGE_SIZE = 50  # tasks in one page, as in the Terraform provider
MAX_PAGES = 40
MISSING_ID = "JOB00000000-0000-0000-0000-000000000000"

_ID = re.compile(r"JOB[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\x9f/\\]|^\.{1,2}$")  # not allowed in a path or a signature


class ServiceStageSettings(HuaweiCloudSettings):
    """Settings of a ServiceStage connection: one region and project."""

    service: ClassVar[str] = "servicestage"


class ServiceStage(HuaweiCloudProvider[ServiceStageSettings]):
    """Fetches one job at a time with all its tasks; also the newest job of a component."""

    kind = "servicestage"
    title = "Huawei Cloud ServiceStage"
    Settings: ClassVar[type[ConnectionSettings]] = ServiceStageSettings
    statuses: ClassVar[Mapping[str, Status]] = STATUSES
    id_format = IdFormat(
        _ID,
        named=re.compile(f"{_ID.pattern}|{components.REFERENCE.pattern}"),
        example="JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e",
    )
    example_name = "deploys"
    version = "v3"
    console = "servicestage"
    map_error = staticmethod(map_error)
    simulator = staticmethod(simulation)

    @cached_property
    def _components(self) -> components.Components:
        return components.Components(self.name, self.settings.project_id, self.http)

    async def fetch_job(self, ref: JobRef) -> Job:
        """Return the job with all its tasks, or a component's newest job under its own id."""
        if not components.REFERENCE.fullmatch(ref.id):
            return await self._job(ref)
        id_ = await self._components.newest_job(ref.id)
        if len(id_) > MAX_ID_LENGTH or _UNSAFE.search(id_):
            raise AnswerNotUnderstood(f"{self.name}: the component's newest job has no usable id.")
        return await self._job(JobRef(connection=ref.connection, id=id_))

    async def _job(self, ref: JobRef) -> Job:
        if _UNSAFE.search(ref.id):
            raise BadReference(
                "A ServiceStage job id has no spaces and no slashes.",
                next_step=f"It looks like {self.id_format.example}.",
            )
        first = await self._page(ref.id, 0)
        tasks = await self._all_tasks(ref.id, first)
        # The job of the first page: a later one could be terminal while the tasks still run.
        job = translate(ref, first.job, tasks)
        details = job.details + self._components.cached_deployment(ref.id)
        return job.replace(url=self.console_url(job), details=details)

    async def _fetch_missing(self) -> object:
        return await self._page(MISSING_ID, 0)

    async def _all_tasks(self, id_: str, page: Answer) -> Iterable[TaskPayload]:
        """Return the tasks of the first page and of all later pages, each task once."""
        tasks = _by_id(page, 0)
        for _ in range(MAX_PAGES):
            count = len(tasks)
            if not page.tasks or count >= _expected(page, count):
                break
            page = await self._page(id_, count)
            tasks |= _by_id(page, count)
            if len(tasks) == count:
                break
        return tasks.values()

    async def _page(self, id_: str, offset: int) -> Answer:
        params = {"desc": "false", "limit": PAGE_SIZE, "offset": offset}
        return await self._fetch(f"/cas/jobs/{quote(id_, safe='')}", Answer, params=params)

    def find_ids(self, text: str) -> Iterable[str]:
        """Return the ids in URLs of this connection's API, its console_url and the console."""
        api = f"{self.settings.base_url}{self._project_path}"
        yield from self.id_format.find_in_urls(text, f"{api}/cas/jobs/{{id}}")
        yield from self.id_format.find_in_urls(text, self.settings.console_url)
        yield from components.find_in_urls(text, api, self.settings.home_region)


def _by_id(page: Answer, known: int) -> dict[object, TaskPayload]:
    """Return the tasks by id or position: pages overlap when tasks are added in between."""
    return {task.task_id or known + n: task for n, task in enumerate(page.tasks)}


def _expected(page: Answer, known: int) -> int:
    """Return the number of tasks; without a count, a full page is taken not to be the last."""
    if page.task_count is not None:
        return page.task_count
    return known + (len(page.tasks) >= PAGE_SIZE)


@hookimpl
def register_providers() -> Iterable[type[ServiceStage]]:
    """Register ServiceStage."""
    return [ServiceStage]
