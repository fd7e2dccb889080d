"""ServiceStage's provider passes the conformance suite."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from bot.sdk.testing import ProviderContract, ProviderHarness
from plugins.servicestage import ServiceStage
from plugins.servicestage.script import JobScript, JobStep
from plugins.servicestage.simulator import SIMULATOR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import web


class TestServiceStageConformance(ProviderContract):
    """Twelve lines run some fifty tests."""

    provider = ServiceStage
    unknown_id = "JOB5e0c73b9-16fa-4d28-93e7-fb24a8d1605c"
    time_formats = ("Z", "+08:00", "-03:30", "s", "ms", "")
    task_only_statuses: ClassVar[frozenset[str]] = frozenset({"SKIPPED"})

    def put(
        self, app: web.Application, native: str, *, name: str = "deploy", tasks: int = 1
    ) -> str:
        steps = tuple(JobStep(name) for _ in range(tasks))
        job = app[SIMULATOR].add(JobScript(f"JOB{uuid4()}", steps))
        app[SIMULATOR].finish(job.id, native)
        return job.id

    def urls(self, bench: ProviderHarness, id_: str) -> Iterable[str]:
        base = bench.provider.settings.base_url
        yield f"{base}/v3/{bench.provider.settings.project_id}/cas/jobs/{id_}"
