"""AOM's workflows, simulated: the API of their pages, behind a gateway that checks who asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.providers.provider import Sample, Simulation
from bot.testing.faults import Call, Faults
from plugins.aom import script
from plugins.aom.samples import NOT_AN_EXECUTION, SAMPLES
from plugins.huaweicloud.simulator import Gate, Tenant, refusal

if TYPE_CHECKING:
    from datetime import datetime

    from bot.clock import Clock
    from plugins.aom.script import ExecutionScript

TIMES = ("begin_time", "end_time")


@dataclass
class _Held:
    """An execution of the simulator; it begins when it is first asked for."""

    script: ExecutionScript
    began: datetime | None = None
    status: str | None = None  # that it was given


class Simulator:
    """Holds executions and answers for them; tests turn its clock and decide how they end."""

    def __init__(self, clock: Clock, tenant: Tenant | None = None) -> None:
        self.clock = clock
        self.gate = Gate(clock, tenant or Tenant())
        self.in_seconds = False  # times, as one of the pages shows them
        self.app = web.Application()
        self.app[SIMULATOR] = self
        self.faults = Faults.of(self.app, clock)
        self.gate.install(self.app)
        self._held: dict[tuple[str, str], _Held] = {}
        self._serve()

    def _serve(self) -> None:
        workflow = "/v1/{project}/cms/workflow/{workflow}"
        router = self.app.router
        router.add_get(f"{workflow}/executions/{{execution}}/status", self._show)
        router.add_get(f"{workflow}/executions", self._history)
        router.add_post("/v1/{project}/cms/workflow-list", self._list)

    @property
    def calls(self) -> list[Call]:
        """Every call that arrived, oldest first."""
        return self.faults.calls

    def add(self, execution: ExecutionScript) -> ExecutionScript:
        """Hold an execution."""
        self._held[execution.workflow_id, execution.id] = _Held(execution)
        return execution

    def finish(self, execution: ExecutionScript, status: str = "success") -> None:
        """Give an execution this word from now on; all its nodes take it over."""
        self._held[execution.workflow_id, execution.id].status = status

    def _payload(self, held: _Held) -> dict[str, Any]:
        now = self.clock.now()
        if held.began is None:
            held.began = now - timedelta(seconds=held.script.began_seconds_ago)
        answer = script.payload(held.script, held.began, now, held.status)
        answer["project_id"] = self.gate.tenant.project_id
        return _in_seconds(answer) if self.in_seconds else answer

    async def _show(self, request: web.Request) -> web.Response:
        place = request.match_info
        held = self._held.get((place["workflow"], place["execution"]))
        if place["project"] != self.gate.tenant.project_id:
            return _seed_error(401, "AOM.31009004", "auth failed.")
        if held is None:
            return _seed_error(400, "AOM.31001403", "param error.")
        return web.json_response(self._payload(held))

    async def _history(self, request: web.Request) -> web.Response:
        """Answer a bare array, the oldest first."""
        held = self._of(request.match_info["workflow"])
        if not held:
            return _guide_error(404, "AOM.31001306", "workflow not exist.")
        briefs = [self._payload(each) | {"created_by": each.script.created_by} for each in held]
        return web.json_response(sorted(briefs, key=lambda brief: int(brief["begin_time"])))

    async def _list(self, request: web.Request) -> web.Response:
        asked = await request.json()
        newest = {held.script.workflow_id: held for held in self._held.values()}
        found = [self._workflow(held) for held in newest.values()]
        if asked.get("sort_field") == "last_execution_start_time":
            order = str(asked.get("sort_type", "DESC"))
            found.sort(key=lambda row: row["last_execution_start_time"], reverse=order == "DESC")
        page, size = int(asked.get("page", 0)), int(asked.get("size", 10))
        rows = found[page * size : (page + 1) * size]
        return web.json_response({"elements": rows, "total_elements": len(found)})

    def _of(self, workflow: str) -> list[_Held]:
        return [held for (owner, _), held in self._held.items() if owner == workflow]

    def _workflow(self, held: _Held) -> dict[str, Any]:
        """Return a workflow with its newest execution; being listed does not begin one."""
        fixed = {
            "id": held.script.workflow_id,
            "name": held.script.workflow_name,
            "type": "manual",
            "create_by": held.script.created_by,
        }
        began = held.began is not None or held.script.began_seconds_ago > 0
        seen = self._payload(held) if began else {}
        return fixed | {
            "last_execution_id": held.script.id,
            "last_execution_start_time": seen.get("begin_time", 0),
            "last_execution_end_time": seen.get("end_time", 0),
            "status": seen.get("status", "waitExecute"),
        }


SIMULATOR: web.AppKey[Simulator] = web.AppKey("simulator", Simulator)


def _in_seconds(answer: dict[str, Any]) -> dict[str, Any]:
    shorter = {name: answer[name] // 1000 for name in TIMES}
    nodes = answer.get("execution_result_list", [])
    return answer | shorter | {"execution_result_list": [_node_in_seconds(n) for n in nodes]}


def _node_in_seconds(node: dict[str, Any]) -> dict[str, Any]:
    return node | {name: node[name] // 1000 for name in TIMES}


def _seed_error(status: int, code: str, message: str) -> web.Response:
    """Return an error as the page of a single execution shows it: numbers are strings."""
    key = "htp_code" if status == 400 else "http_code"
    body = {"error_code": code, "error_message": message, key: str(status)}
    return web.json_response(body, status=status)


def _guide_error(status: int, code: str, message: str) -> web.Response:
    """Return an error as the other pages show it."""
    return refusal(status, code, message, http_code=status)


def simulation(clock: Clock) -> Simulation:
    """Return a simulator that holds the samples, with settings that reach it."""
    simulator = Simulator(clock)
    for sample in SAMPLES:
        simulator.add(sample.execution)
    offered = tuple(Sample(sample.title, sample.id, sample.hint) for sample in SAMPLES)

    def settings(url: str) -> dict[str, str | int | bool]:
        return {"provider": "aom", "endpoint": url, **simulator.gate.tenant.key_settings()}

    return Simulation(simulator.app, settings, (*offered, NOT_AN_EXECUTION))
