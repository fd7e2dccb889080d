"""Simulator of Cloud Phone Host's API behind Huawei Cloud's gateway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.sdk import Clock, Sample, Simulation
from bot.sdk.testing import Call, Faults
from plugins.cph import script
from plugins.cph.samples import MISSING_REQUEST, SAMPLES
from plugins.huaweicloud.simulator import SimulatedGateway, Tenant, error_response

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from plugins.cph.script import RequestScript

MAX_LIMIT = 100
MAX_REQUESTS = 20  # in one call
OWN_ID = "6a63a18b8bab40ffb71ebd9cb80d0085"  # of the query itself; belongs to no request

_BAD_PAGE = ("CPS.0002", "Parameter: offset or limit is invalid.")
_BAD_IDS = ("CPS.0098", "Parameter: request_id or request_ids is invalid.")  # made up
_NO_JOB = ("CPS.0099", "Job not found.")  # made up: the code is not documented
_NO_PERMISSION = ("CPS.0001", "No permission to request resources.")


@dataclass
class _SimulatedRequest:
    """A request of the simulator; it starts when it is first fetched."""

    script: RequestScript
    began: datetime | None = None
    status: int | None = None  # of all its jobs, set by a test


class Simulator:
    """Serves requests; tests move its clock and set how jobs end."""

    def __init__(self, clock: Clock, tenant: Tenant | None = None) -> None:
        self.clock = clock
        self.gateway = SimulatedGateway(clock, tenant or Tenant())
        self.app = web.Application()
        self.app[SIMULATOR] = self
        self.faults = Faults.of(self.app, clock)
        self.gateway.install(self.app)
        self.app.router.add_get("/v1/{project}/cloud-phone/jobs", self._list)
        self.app.router.add_get("/v1/{project}/cloud-phone/jobs/{job}", self._show)
        self._requests: dict[str, _SimulatedRequest] = {}

    @property
    def calls(self) -> list[Call]:
        """Every call that arrived, oldest first."""
        return self.faults.calls

    def add(self, request: RequestScript) -> RequestScript:
        """Add a request, or replace the jobs of an existing one."""
        simulated = self._requests.setdefault(request.id, _SimulatedRequest(request))
        simulated.script = request
        return request

    def finish(self, id_: str, status: int = script.SUCCESS) -> None:
        """Set the status of all jobs of a request from now on."""
        self._requests[id_].status = status

    def jobs_of(self, id_: str) -> list[dict[str, Any]]:
        """Return a request's jobs as they are now; the request starts now if it had not."""
        simulated, now = self._requests[id_], self.clock.now()
        if simulated.began is None:
            simulated.began = now - timedelta(seconds=simulated.script.began_seconds_ago)
        return script.payload(simulated.script, simulated.began, now, simulated.status)

    async def _list(self, request: web.Request) -> web.Response:
        if request.match_info["project"] != self.gateway.tenant.project_id:
            return error_response(403, *_NO_PERMISSION)
        query = request.query
        wanted = (query.get("request_ids") or query.get("request_id") or "").split(",")
        if wanted == [""] or len(wanted) > MAX_REQUESTS:
            return error_response(400, *_BAD_IDS)
        found = [job for id_ in wanted if id_ in self._requests for job in self.jobs_of(id_)]
        if len(wanted) > 1:  # an order that does not show their request
            found.sort(key=lambda job: str(job["job_id"]))
        return _page(found, query)

    async def _show(self, request: web.Request) -> web.Response:
        if request.match_info["project"] != self.gateway.tenant.project_id:
            return error_response(403, *_NO_PERMISSION)
        for id_, simulated in self._requests.items():
            for number in range(len(simulated.script.jobs)):
                if script.job_id(id_, number) == request.match_info["job"]:
                    return web.json_response({"request_id": OWN_ID} | self.jobs_of(id_)[number])
        return error_response(404, *_NO_JOB)


SIMULATOR: web.AppKey[Simulator] = web.AppKey("simulator", Simulator)


def _page(jobs: list[dict[str, Any]], query: Mapping[str, str]) -> web.Response:
    try:
        limit, offset = int(query.get("limit", MAX_LIMIT)), int(query.get("offset", 0))
    except ValueError:
        return error_response(400, *_BAD_PAGE)
    if not (0 < limit <= MAX_LIMIT and offset >= 0):
        return error_response(400, *_BAD_PAGE)
    return web.json_response({"request_id": OWN_ID, "jobs": jobs[offset : offset + limit]})


def simulation(clock: Clock) -> Simulation:
    """Return a simulator with the samples, and the settings that connect to it."""
    simulator = Simulator(clock)
    for sample in SAMPLES:
        simulator.add(sample.request)
    offered = tuple(Sample(sample.title, sample.request.id, sample.hint) for sample in SAMPLES)

    def settings(url: str) -> dict[str, str | int | bool]:
        return {"provider": "cph", "endpoint": url, **simulator.gateway.tenant.key_settings()}

    return Simulation(simulator.app, settings, (*offered, MISSING_REQUEST))
