"""Simulator of ServiceStage's API behind Huawei Cloud's gateway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.sdk import Clock, Sample, Simulation
from bot.sdk.testing import Call, Fault, Faults
from plugins.huaweicloud.simulator import SimulatedGateway, Tenant, error_response
from plugins.servicestage import script
from plugins.servicestage.samples import COMPONENT, DEPLOYMENTS, MISSING_JOB, SAMPLES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from plugins.servicestage.script import JobScript, JobTimeline

MAX_LIMIT = 100

_BUSY = (
    "The throttling threshold has been reached: policy user over ratelimit,limit:200,time:5 minute"
)
_CODES = {  # the documented errors: status → code and message
    400: ("SVCSTG.00100400", "Invalid parameter."),
    401: ("SVCSTG.00100401", "The job does not exist."),
    403: ("APIGW.0302", "The IAM user is not allowed to access the API"),
    404: ("SVCSTG.00100429", "The job does not exist."),
    409: ("SVCSTG.00100409", "Conflict."),
    429: ("APIGW.0308", _BUSY),
    500: ("SVCSTG.00100500", "Internal error."),
    503: ("APIGW.0613", "The gateway is not available."),
}


_NO_COMPONENT = ("SVCSTG.00100404", "The component does not exist.")


@dataclass
class _SimulatedJob:
    """A job of the simulator; it starts when it is first requested."""

    script: JobScript
    course: JobTimeline
    began: datetime | None = None


class Simulator:
    """Serves jobs; tests move its clock and set how jobs end."""

    def __init__(self, clock: Clock, tenant: Tenant | None = None) -> None:
        self.clock = clock
        self.gateway = SimulatedGateway(clock, tenant or Tenant())
        self.upper_case = False  # keys in capitals, as in v2
        self.not_found_status = 404  # the real API also sends 401
        self.app = web.Application()
        self.app[SIMULATOR] = self
        self.faults = Faults.of(self.app, clock)
        self.gateway.install(self.app)
        self.app.router.add_get("/v3/{project}/cas/jobs/{job}", self._show)
        component = "/v3/{project}/cas/applications/{application}/components/{component}"
        self.app.router.add_get(component, self._show_component)
        self.app.router.add_get(f"{component}/records", self._show_records)
        self._jobs: dict[str, _SimulatedJob] = {}
        self._components: dict[str, tuple[str, tuple[dict[str, Any], ...]]] = {}

    @property
    def calls(self) -> list[Call]:
        """Every call that arrived, oldest first."""
        return self.faults.calls

    def add(self, job: JobScript) -> JobScript:
        """Add a job."""
        self._jobs[job.id] = _SimulatedJob(job, script.job_timeline(job))
        return job

    def add_component(self, reference: str, job_id: str, *records: dict[str, Any]) -> None:
        """Add a component, `application/component`, with its newest job and its deployments."""
        self._components[reference] = job_id, records

    def finish(self, id_: str, status: str = "SUCCEEDED") -> None:
        """Set the status of a job and its open tasks from now on."""
        simulated, at = self._jobs[id_], self._age(id_)
        simulated.course = script.finish(simulated.course, at, status)

    def fail(self, id_: str, step: int, message: str) -> None:
        """Fail a job now, at this step (from 0), with this message."""
        simulated, at = self._jobs[id_], self._age(id_)
        simulated.course = script.fail(simulated.course, at, step, message)

    def fail_calls(
        self,
        times: int | None = 1,
        status: int = 503,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer the next calls with an error; the documented body is the default."""
        if body is None and status in _CODES:
            code, message = _CODES[status]
            body = {"error_code": code, "error_msg": message}
        self.faults.plan(Fault(status, body or "", headers or {}), times)

    def slow_down(self, seconds: float, times: int | None = 1) -> None:
        """Delay the next responses by so many seconds of the clock."""
        self.faults.plan(Fault(after_seconds=seconds), times)

    def _age(self, id_: str) -> float:
        """Return the seconds since a job's start; the job starts now if it had not."""
        simulated = self._jobs[id_]
        if simulated.began is None:
            simulated.began = self.clock.now() - timedelta(
                seconds=simulated.script.began_seconds_ago
            )
        return (self.clock.now() - simulated.began).total_seconds()

    async def _show(self, request: web.Request) -> web.Response:
        if request.match_info["project"] != self.gateway.tenant.project_id:
            return error_response(403, *_CODES[403])
        id_ = request.match_info["job"]
        if id_ not in self._jobs:
            return error_response(self.not_found_status, *_CODES[self.not_found_status])
        self._age(id_)
        return self._page(self._jobs[id_], request.query)

    async def _show_component(self, request: web.Request) -> web.Response:
        component = self._component(request)
        if component is None:
            return error_response(404, *_NO_COMPONENT)
        status = {"component_status": "RUNNING", "last_job_id": component[0]}
        return web.json_response({"id": request.match_info["component"], "status": status})

    async def _show_records(self, request: web.Request) -> web.Response:
        component = self._component(request)
        if component is None:
            return error_response(404, *_NO_COMPONENT)
        return web.json_response({"count": len(component[1]), "records": component[1]})

    def _component(self, request: web.Request) -> tuple[str, tuple[dict[str, Any], ...]] | None:
        match = request.match_info
        if match["project"] != self.gateway.tenant.project_id:
            return None
        return self._components.get(f"{match['application']}/{match['component']}")

    def _page(self, simulated: _SimulatedJob, query: Mapping[str, str]) -> web.Response:
        try:
            limit, offset = int(query.get("limit", MAX_LIMIT)), int(query.get("offset", 0))
        except ValueError:
            return error_response(400, *_CODES[400])
        if not (0 < limit <= MAX_LIMIT and offset >= 0):
            return error_response(400, *_CODES[400])
        now = self.clock.now()
        whole = script.payload(simulated.script, simulated.course, simulated.began or now, now)
        tasks = whole["tasks"][::-1] if query.get("desc") == "true" else whole["tasks"]
        answer = whole | {"tasks": tasks[offset : offset + limit]}
        return web.json_response(_upper(answer) if self.upper_case else answer)


SIMULATOR: web.AppKey[Simulator] = web.AppKey("simulator", Simulator)


def _upper(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the response as v2 writes it: the keys of the job and its tasks in capitals."""
    return answer | {
        "job": {key.upper(): value for key, value in answer["job"].items()},
        "tasks": [{k.upper(): v for k, v in task.items()} for task in answer["tasks"]],
    }


def simulation(clock: Clock) -> Simulation:
    """Return a simulator with the samples, and the settings that connect to it."""
    simulator = Simulator(clock)
    for sample in SAMPLES:
        simulator.add(sample.job)
    simulator.add_component(COMPONENT.id, SAMPLES[0].job.id, *DEPLOYMENTS)
    offered = tuple(Sample(sample.title, sample.job.id, sample.hint) for sample in SAMPLES)

    def settings(url: str) -> dict[str, str | int | bool]:
        return {
            "provider": "servicestage",
            "endpoint": url,
            **simulator.gateway.tenant.key_settings(),
        }

    return Simulation(simulator.app, settings, (*offered, COMPONENT, MISSING_JOB))
