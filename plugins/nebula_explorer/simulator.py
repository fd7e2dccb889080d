"""Simulator of NebulaGraph Explorer: cookie sessions, one job, and the list of jobs."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.sdk import Clock, Sample, Simulation
from bot.sdk.testing import Call, Fault, Faults
from plugins.nebula_explorer import script
from plugins.nebula_explorer.api import API_PATH, COOKIE, SESSION_SECONDS
from plugins.nebula_explorer.samples import MISSING_JOB, SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from plugins.nebula_explorer.script import JobScript

USER, PASSWORD = "root", "made-up-password"
ADDRESS, PORT = "192.168.8.111", 9669
ERROR_NAMES = {
    40004001: "ErrParam",
    40104000: "ErrUnauthorized",
    40104001: "ErrSession",
    40304000: "ErrForbidden",
    40404000: "ErrNotFound",
    50004000: "ErrInternalServer",
    50004002: "ErrInternalController",
}


@dataclass
class _SimulatedJob:
    """A job of the simulator; it starts when it is first requested."""

    script: JobScript
    began: datetime | None = None
    fixed: dict[str, Any] = field(default_factory=dict)  # fields set by a test


class Simulator:
    """Serves jobs; tests move its clock and set the fields of jobs."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.colon_credentials = False  # credentials are encoded as before Explorer 3.4
        self.http_errors = True  # errors have a matching HTTP status; else 200
        self.max_page_size = 1000  # jobs
        self.applies_filters = True  # whether the list applies the status filter
        self.sessions: dict[str, datetime] = {}  # token → expiry
        self.sessions_issued = 0
        self.app = web.Application()
        self.app[SIMULATOR] = self
        self.faults = Faults.of(self.app, clock)
        self.app.router.add_post(f"{API_PATH}/connect", self._connect)
        self.app.router.add_get(f"{API_PATH}/jobs", self._list)
        self.app.router.add_get(f"{API_PATH}/jobs/{{id}}", self._show)
        self._jobs: dict[int, _SimulatedJob] = {}
        self._numbers = count(3001)

    @property
    def calls(self) -> list[Call]:
        """Every call that arrived, oldest first."""
        return self.faults.calls

    @property
    def operations(self) -> list[str]:
        """The operation of each call: "connect", "jobs" for the list, or a job's id."""
        return [call.path.partition("?")[0].rpartition("/")[2] for call in self.calls]

    def add(self, job: JobScript, **fixed: Any) -> str:
        """Add a job; `fixed` overrides fields of its response, None removes a field."""
        self._jobs[job.id] = _SimulatedJob(job, fixed=fixed)
        return str(job.id)

    def put(self, name: str = "workflow_1", status: Any = script.RUNNING, **fixed: Any) -> str:
        """Add a job with these fields, and return its id."""
        job = script.JobScript(next(self._numbers), name, queued_seconds=0.0)
        return self.add(job, status=status, **fixed)

    def override(self, id_: str, **fixed: Any) -> None:
        """Override these fields of a job from now on."""
        self._jobs[int(id_)].fixed |= fixed

    def fail_calls(self, code: int, times: int | None = 1) -> None:
        """Answer the next calls with an error code."""
        self.faults.plan(Fault(self._status(code), {"code": code, "message": "made up"}), times)

    def restart(self) -> None:
        """Drop every session, as a restart of Explorer does."""
        self.sessions.clear()

    def _status(self, code: int) -> int:
        return code // 100_000 if self.http_errors and code < 60_000_000 else 200

    def _error(self, code: int) -> web.Response:
        body = {"code": code, "message": ERROR_NAMES[code]}
        return web.json_response(body, status=self._status(code))

    async def _connect(self, request: web.Request) -> web.Response:
        account = self._account(request.headers.get("Authorization", ""))
        if account is None:
            return self._error(40004001)
        if account != [USER, PASSWORD]:
            return self._error(40104000)
        if await request.json() != {"address": ADDRESS, "port": PORT}:
            return self._error(50004000)
        self.sessions_issued += 1
        token = f"eyJhbGciOiJIUzI1NiJ9.made-up-{self.sessions_issued}.x"
        self.sessions[token] = self.clock.now() + timedelta(seconds=SESSION_SECONDS)
        cookie = f"{COOKIE}={token}; Path=/; Max-Age={SESSION_SECONDS}; HttpOnly"
        return _success({"success": True}, {"Set-Cookie": cookie})

    def _account(self, header: str) -> list[str] | None:
        """Return user and password from the header, or None if the encoding is wrong."""
        text = b64decode(header.removeprefix("Bearer ")).decode()
        try:
            return list(text.split(":", 1)) if self.colon_credentials else list(json.loads(text))
        except ValueError:
            return None

    def _rejection(self, request: web.Request) -> web.Response | None:
        ends = self.sessions.get(request.cookies.get(COOKIE, ""))
        return self._error(40104001) if ends is None or self.clock.now() >= ends else None

    async def _show(self, request: web.Request) -> web.Response:
        if rejection := self._rejection(request):
            return rejection
        id_ = request.match_info["id"]
        if not id_.isdecimal():
            return self._error(40004001)
        simulated = self._jobs.get(int(id_))
        return _success(self._payload(simulated)) if simulated else self._error(40404000)

    async def _list(self, request: web.Request) -> web.Response:
        if rejection := self._rejection(request):
            return rejection
        filters = json.loads(request.query.get("filter", "{}"))
        size = min(self.max_page_size, int(request.query.get("pageSize", 10)))
        number = int(request.query.get("page", 1))
        rows = self._rows(filters.get("status") if self.applies_filters else None)
        newest = filters.get("orderByCreateTime", "desc") == "desc"
        ordered = sorted(rows, key=lambda row: (row["createTime"], row["id"]), reverse=newest)
        items = ordered[(number - 1) * size : number * size]
        return _success({"items": items, "total": len(ordered), "Page": number, "PageSize": size})

    def _rows(self, status: int | None) -> Iterable[dict[str, Any]]:
        """Return the jobs of a status, without their tasks."""
        for simulated in self._jobs.values():
            row = self._payload(simulated, begin=False)
            row.pop("tasks", None)
            if status in (None, row["status"]):
                yield row

    def _payload(self, simulated: _SimulatedJob, *, begin: bool = True) -> dict[str, Any]:
        now = self.clock.now()
        began = simulated.began or now - timedelta(seconds=simulated.script.began_seconds_ago)
        if begin:
            simulated.began = began
        whole = script.payload(simulated.script, began, now) | simulated.fixed
        return {key: value for key, value in whole.items() if value is not None}


SIMULATOR: web.AppKey[Simulator] = web.AppKey("simulator", Simulator)


def _success(data: Any, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"code": 0, "data": data, "message": "Success"}, headers=headers)


def simulation(clock: Clock) -> Simulation:
    """Return a simulator with the samples, and the settings that connect to it."""
    simulator = Simulator(clock)
    for sample in SAMPLES:
        simulator.add(sample.job)
    offered = tuple(Sample(sample.title, str(sample.job.id), sample.hint) for sample in SAMPLES)

    def settings(url: str) -> dict[str, str | int | bool]:
        return {
            "provider": "nebula-explorer",
            "url": url,
            "graph_address": ADDRESS,
            "graph_port": PORT,
            "user": USER,
            "password": PASSWORD,
        }

    return Simulation(simulator.app, settings, (*offered, MISSING_JOB))
