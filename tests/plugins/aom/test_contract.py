"""AOM's provider passes the conformance suite."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from bot.sdk.testing import ProviderContract, ProviderHarness
from plugins.aom import Aom
from plugins.aom.script import ExecutionScript, NodeScript
from plugins.aom.simulator import SIMULATOR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import web


class TestAomConformance(ProviderContract):
    """An execution's reference has the workflow's id and its own."""

    provider = Aom
    unknown_id = "c6d81f9e3b5047a2be90d4f6a1735c28/3f8c2b6e-51d7-4a09-9e64-b7d1c0a82f35"
    unknown_status = "brandNew"
    time_formats = ("Z", "+08:00", "-03:30", "s", "ms", "")

    def put(
        self, app: web.Application, native: str, *, name: str = "deploy", tasks: int = 1
    ) -> str:
        nodes = tuple(NodeScript(name) for _ in range(tasks))
        execution = app[SIMULATOR].add(ExecutionScript(uuid4().hex, str(uuid4()), nodes))
        app[SIMULATOR].finish(execution, native)
        return f"{execution.workflow_id}/{execution.id}"

    def urls(self, bench: ProviderHarness, id_: str) -> Iterable[str]:
        settings = bench.provider.settings
        workflow, execution = id_.split("/")
        api = f"{settings.base_url}/v1/{settings.project_id}/cms/workflow/{workflow}"
        yield f"{api}/executions/{execution}/status"
        yield f"{api}/executions/{execution}"
