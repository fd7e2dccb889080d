"""Plugin for NebulaGraph Explorer: jobs that run workflows of graph algorithms."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, SecretStr

from bot.sdk import (
    BadReference,
    ConnectionSettings,
    IdFormat,
    Job,
    JobRef,
    JobthreadError,
    Status,
    hookimpl,
    ids_in,
)
from plugins.nebula_explorer.api import API_PATH, ApiClient
from plugins.nebula_explorer.simulator import simulation
from plugins.nebula_explorer.task_rotation import TaskRotation
from plugins.nebula_explorer.translator import STATUS_NAMES, STATUSES, translate
from plugins.selfhosted.provider import SelfHostedProvider
from plugins.selfhosted.settings import SelfHostedSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


MAX_DETAIL_FETCHES = 5  # single fetches in a batch whose jobs are unchanged


class NebulaExplorerSettings(SelfHostedSettings):
    """Settings of an Explorer connection, and of the graph to connect to."""

    graph_address: str = Field(min_length=1, description="The graph's address, seen by Explorer.")
    graph_port: int = Field(9669, ge=1, le=65535, description="The graph's port.")
    user: str = Field(min_length=1, description="A user of the graph.")
    password: SecretStr = Field(description="The user's password.")


class NebulaExplorer(SelfHostedProvider[NebulaExplorerSettings]):
    """Fetches jobs with their tasks; polls many jobs by the list and fetches the changed ones."""

    kind = "nebula-explorer"
    title = "NebulaGraph Explorer"
    Settings: ClassVar[type[ConnectionSettings]] = NebulaExplorerSettings
    statuses: ClassVar[Mapping[str, Status]] = STATUSES
    id_format = IdFormat(
        re.compile(r"[0-9]{1,18}"),
        match_bare=False,  # a bare number in a text may be a date or a count
        example="1964",
    )
    example_name = "graphs"
    simulator = staticmethod(simulation)
    batch_size = 100

    @cached_property
    def _api(self) -> ApiClient:
        settings = self.settings
        account = (settings.user, settings.password.get_secret_value())
        return ApiClient(
            self.http, account, (settings.graph_address, settings.graph_port), self.clock
        )

    @cached_property
    def _rotation(self) -> TaskRotation:
        return TaskRotation()

    async def fetch_job(self, ref: JobRef) -> Job:
        """Return the job with its tasks."""
        if not self.id_format.pattern.fullmatch(ref.id):
            raise BadReference(
                "A job's id in NebulaGraph Explorer is a whole number.",
                next_step=f"It looks like {self.id_format.example}.",
            )
        job = translate(ref, await self._api.fetch_job(int(ref.id)))
        job = job.replace(url=self.console_url(job))
        self._rotation.record_fetch(job, self.clock.now())
        return job

    async def fetch_jobs(
        self, refs: Sequence[JobRef], seen: Mapping[JobRef, Job]
    ) -> dict[JobRef, Job | JobthreadError]:
        """Return each job, and fetch singly only those that the list does not show as unchanged.

        The list omits tasks. So a few of the unchanged jobs are fetched too, in rotation; the
        others are returned as last seen.
        """
        unchanged = await self._unchanged({ref: seen[ref] for ref in refs if ref in seen})
        due = self._rotation.least_recent(unchanged, MAX_DETAIL_FETCHES)
        changed = [ref for ref in refs if ref not in unchanged or ref in due]
        return {**unchanged, **await super().fetch_jobs(changed, seen)}

    async def _unchanged(self, known: Mapping[JobRef, Job]) -> dict[JobRef, Job]:
        """Return the jobs whose status is unchanged; none if there are only a few jobs."""
        if len(known) <= MAX_DETAIL_FETCHES:
            return {}
        words = {job.native_status for job in known.values() if not job.status.terminal}
        listed = {
            word: await self._api.ids_with_status(word)
            for word in words & set(STATUS_NAMES.values())
        }
        return {
            ref: job
            for ref, job in known.items()
            if int(ref.id) in listed.get(job.native_status, ())
        }

    async def recent_jobs(self, limit: int) -> Sequence[Job]:
        """Return the last created jobs, newest first, without their tasks."""
        page = await self._api.fetch_page(size=limit)
        refs = (JobRef(connection=self.name, id=str(payload.id)) for payload in page.items)
        jobs = [translate(ref, row) for ref, row in zip(refs, page.items, strict=True)]
        return [job.replace(url=self.console_url(job)) for job in jobs[:limit]]

    async def check(self) -> str:
        """Sign in and fetch one page of the list."""
        total = (await self._api.fetch_page(size=1)).total
        return (
            f"{self.title} answers at {self.settings.url}, lets the user in and has {total} jobs."
        )

    def find_ids(self, text: str) -> Iterable[str]:
        """Return the ids in URLs of this Explorer's API and of its console_url."""
        yield from ids_in(
            text, f"{self.settings.url}{API_PATH}/jobs/{{id}}", self.id_format.pattern
        )
        yield from ids_in(text, self.settings.console_url, self.id_format.pattern)

    def console_url(self, job: Job) -> str | None:
        """Return the page by the setting `console_url`, or else Explorer's start page."""
        return self.settings.job_url(job.ref.id) or f"{self.settings.url}/"


@hookimpl
def register_providers() -> Iterable[type[NebulaExplorer]]:
    """Register NebulaGraph Explorer."""
    return [NebulaExplorer]
