"""Simulator of AOM's workflow API behind Huawei Cloud's gateway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.sdk import Clock, Sample, Simulation
from bot.sdk.testing import Call, Faults
from plugins.aom import script
from plugins.aom.samples import MISSING_EXECUTION, SAMPLES
from plugins.huaweicloud.simulator import SimulatedGateway, Tenant, error_response

if TYPE_CHECKING:
    from datetime import datetime

    from plugins.aom.script import ExecutionScript

TIME_KEYS = ("begin_time", "end_time")


@dataclass
class _SimulatedExecution:
    """An execution of the simulator; it starts at the first request for it."""

    script: ExecutionScript
    began: datetime | None = None
    status: str | None = None  # set by a test


class Simulator:
    """Serves executions; tests move its clock and set how they end."""

    def __init__(self, clock: Clock, tenant: Tenant | None = None) -> None:
        self.clock = clock
        self.gateway = SimulatedGateway(clock, tenant or Tenant())
        self.in_seconds = False  # times in seconds, as one of the pages shows them
        self.app = web.Application()
        self.app[SIMULATOR] = self
        self.faults = Faults.of(self.app, clock)
        self.gateway.install(self.app)
        self._executions: dict[tuple[str, str], _SimulatedExecution] = {}
        self._serve()

    def _serve(self) -> None:
        workflow = "/v1/{project}/cms/workflow/{workflow}"
        router = self.app.router
        router.add_get(f"{workflow}/executions/{{execution}}/status", self._show)
        router.add_get(f"{workflow}/executions", self._history)
        router.add_post("/v1/{project}/cms/workflow-list", self._list)

    @property
    def calls(self) -> list[Call]:
        """Every request that arrived, oldest first."""
        return self.faults.calls

    def add(self, execution: ExecutionScript) -> ExecutionScript:
        """Add an execution."""
        self._executions[execution.workflow_id, execution.id] = _SimulatedExecution(execution)
        return execution

    def finish(self, execution: ExecutionScript, status: str = "success") -> None:
        """Set the status of an execution and its nodes from now on."""
        self._executions[execution.workflow_id, execution.id].status = status

    def _payload(self, simulated: _SimulatedExecution) -> dict[str, Any]:
        now = self.clock.now()
        if simulated.began is None:
            simulated.began = now - timedelta(seconds=simulated.script.began_seconds_ago)
        answer = script.payload(simulated.script, simulated.began, now, simulated.status)
        answer["project_id"] = self.gateway.tenant.project_id
        return _in_seconds(answer) if self.in_seconds else answer

    async def _show(self, request: web.Request) -> web.Response:
        match = request.match_info
        simulated = self._executions.get((match["workflow"], match["execution"]))
        if match["project"] != self.gateway.tenant.project_id:
            return _execution_error(401, "AOM.31009004", "auth failed.")
        if simulated is None:
            return _execution_error(400, "AOM.31001403", "param error.")
        return web.json_response(self._payload(simulated))

    async def _history(self, request: web.Request) -> web.Response:
        """Return a bare array, oldest first."""
        simulated = self._of(request.match_info["workflow"])
        if not simulated:
            return _workflow_error(404, "AOM.31001306", "workflow not exist.")
        briefs = [
            self._payload(each) | {"created_by": each.script.created_by} for each in simulated
        ]
        return web.json_response(sorted(briefs, key=lambda brief: int(brief["begin_time"])))

    async def _list(self, request: web.Request) -> web.Response:
        body = await request.json()
        newest = {
            simulated.script.workflow_id: simulated for simulated in self._executions.values()
        }
        found = [self._workflow(simulated) for simulated in newest.values()]
        if body.get("sort_field") == "last_execution_start_time":
            order = str(body.get("sort_type", "DESC"))
            found.sort(key=lambda row: row["last_execution_start_time"], reverse=order == "DESC")
        page, size = int(body.get("page", 0)), int(body.get("size", 10))
        rows = found[page * size : (page + 1) * size]
        return web.json_response({"elements": rows, "total_elements": len(found)})

    def _of(self, workflow: str) -> list[_SimulatedExecution]:
        return [
            simulated for (owner, _), simulated in self._executions.items() if owner == workflow
        ]

    def _workflow(self, simulated: _SimulatedExecution) -> dict[str, Any]:
        """Return a workflow with its newest execution; listing does not start the execution."""
        fixed = {
            "id": simulated.script.workflow_id,
            "name": simulated.script.workflow_name,
            "type": "manual",
            "create_by": simulated.script.created_by,
        }
        began = simulated.began is not None or simulated.script.began_seconds_ago > 0
        shown = self._payload(simulated) if began else {}
        return fixed | {
            "last_execution_id": simulated.script.id,
            "last_execution_start_time": shown.get("begin_time", 0),
            "last_execution_end_time": shown.get("end_time", 0),
            "status": shown.get("status", "waitExecute"),
        }


SIMULATOR: web.AppKey[Simulator] = web.AppKey("simulator", Simulator)


def _in_seconds(answer: dict[str, Any]) -> dict[str, Any]:
    shorter = {name: answer[name] // 1000 for name in TIME_KEYS}
    nodes = answer.get("execution_result_list", [])
    return answer | shorter | {"execution_result_list": [_node_in_seconds(n) for n in nodes]}


def _node_in_seconds(node: dict[str, Any]) -> dict[str, Any]:
    return node | {name: node[name] // 1000 for name in TIME_KEYS}


def _execution_error(status: int, code: str, message: str) -> web.Response:
    """Return an error as the page of a single execution shows it: numbers are strings."""
    key = "htp_code" if status == 400 else "http_code"
    body = {"error_code": code, "error_message": message, key: str(status)}
    return web.json_response(body, status=status)


def _workflow_error(status: int, code: str, message: str) -> web.Response:
    """Return an error as the other pages show it."""
    return error_response(status, code, message, http_code=status)


def simulation(clock: Clock) -> Simulation:
    """Return a simulator with the samples, and the settings that connect to it."""
    simulator = Simulator(clock)
    for sample in SAMPLES:
        simulator.add(sample.execution)
    offered = tuple(Sample(sample.title, sample.id, sample.hint) for sample in SAMPLES)

    def settings(url: str) -> dict[str, str | int | bool]:
        return {"provider": "aom", "endpoint": url, **simulator.gateway.tenant.key_settings()}

    return Simulation(simulator.app, settings, (*offered, MISSING_EXECUTION))
