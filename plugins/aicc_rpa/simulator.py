"""Simulator of AICC RPA's API: tokens, account lockout, and errors sent with HTTP 200."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.sdk import Clock, Sample, Simulation
from bot.sdk.testing import Call, Fault, Faults
from plugins.aicc_rpa import script
from plugins.aicc_rpa.api import API_PATH
from plugins.aicc_rpa.samples import MISSING_JOB, SAMPLES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from plugins.aicc_rpa.script import RobotScript

TENANT = "202201072597"
SECRET = "made-up-password"  # noqa: S105  made up
TOKEN_SECONDS = 3600
MAX_FAILURES = 5
LOCK_PERIOD = timedelta(minutes=30)
PAGE_SIZES = (5, 10, 20, 50)
LIST_KEYS = (  # the list's fields: without the status of the latest run
    *("uid", "jobName", "createTime", "startTime"),
    *("status", "mode", "runMode", "timeout", "description"),
)


@dataclass
class _SimulatedJob:
    """A job of the simulator; it starts when it is first requested."""

    script: RobotScript
    began: datetime | None = None
    fixed: dict[str, Any] = field(default_factory=dict)  # fields set by a test


class Simulator:
    """Serves jobs; tests move its clock and set the fields of jobs."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.zone = ZoneInfo("Asia/Shanghai")
        self.tokens: dict[str, datetime] = {}  # token → expiry
        self.tokens_issued = 0
        self.newest_first = True  # in lists: the order is not documented
        self.unwrap_single_job = True  # a single job is an object, not an array
        self.queue_items: dict[str, list[dict[str, Any]]] = {}  # items by queue, set by a test
        self.app = web.Application()
        self.app[SIMULATOR] = self
        self.faults = Faults.of(self.app, clock)
        self.app.router.add_post(f"{API_PATH}/gettoken", self._issue_token)
        self.app.router.add_post(f"{API_PATH}/rpa/{{call}}", self._answer)
        self._jobs: dict[str, _SimulatedJob] = {}
        self._failures = 0
        self._locked_until: datetime | None = None

    @property
    def calls(self) -> list[Call]:
        """Every call that arrived, oldest first."""
        return self.faults.calls

    @property
    def operations(self) -> list[str]:
        """The operation of each call: "gettoken", "queryJobDetails"."""
        return [call.path.rpartition("/")[2] for call in self.calls]

    def add(self, job: RobotScript, **fixed: Any) -> str:
        """Add a job; `fixed` overrides fields of its response, None removes a field."""
        self._jobs[job.uid] = _SimulatedJob(job, fixed=fixed)
        return job.uid

    def put(self, name: str = "Export", **fixed: Any) -> str:
        """Add a job with these fields, and return its uid."""
        return self.add(script.RobotScript(uuid4().hex, name), **fixed)

    def override(self, uid: str, **fixed: Any) -> None:
        """Override these fields of a job from now on."""
        self._jobs[uid].fixed |= fixed

    def fail_calls(self, code: int, times: int | None = 1, status: int = 200) -> None:
        """Answer the next calls with an error code."""
        self.faults.plan(Fault(status, {"errorCode": code, "errorMsg": "made up"}), times)

    async def _issue_token(self, request: web.Request) -> web.Response:
        body, now = await request.json(), self.clock.now()
        if self._locked_until and now < self._locked_until:
            return _error(200800003)
        if (body.get("appKey"), body.get("appSecret")) != (TENANT, SECRET):
            self._failures += 1
            if self._failures >= MAX_FAILURES:
                self._failures, self._locked_until = 0, now + LOCK_PERIOD
            return _error(200800002)
        self.tokens_issued += 1
        token = f"made-up-token-{self.tokens_issued}"
        self.tokens[token] = now + timedelta(seconds=TOKEN_SECONDS)
        return _success(authToken=token, expireTime=TOKEN_SECONDS)

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        ends = self.tokens.get(body.get("authToken"))
        if ends is None or body.get("tenantId") != TENANT:
            return _error(900002)
        if self.clock.now() >= ends:
            return _error(900001)
        calls = {
            "queryJobDetails": self._details,
            "queryJob": self._list,
            "queryRpaQueueData": self._queue,
        }
        call = calls.get(request.match_info["call"])
        return call(body) if call else web.Response(status=404)

    def _details(self, body: dict[str, Any]) -> web.Response:
        if not (body.get("uid") or body.get("jobName")):
            return _error(10000002)
        found = [self._payload(job) for job in self._jobs.values() if _matches(job.script, body)]
        lonely = self.unwrap_single_job and len(found) == 1
        return _success(jobDetail=(found[0] if lonely else found) if found else None)

    def _list(self, body: dict[str, Any]) -> web.Response:
        jobs = [self._payload(simulated, begin=False) for simulated in self._jobs.values()]
        jobs.sort(key=lambda job: str(job["createTime"]))
        rows = [{key: job[key] for key in LIST_KEYS if key in job} for job in jobs]
        return self._page(body, rows, "jobs")

    def _queue(self, body: dict[str, Any]) -> web.Response:
        conditions = body.get("conditions") or {}
        if not conditions.get("queueUid"):
            return _error(10000002)
        rows = list(self.queue_items.get(conditions["queueUid"], ()))
        for simulated in self._jobs.values():
            if simulated.script.queue_uid == conditions["queueUid"] and simulated.began:
                rows += script.failed_items(simulated.script, simulated.began, self.clock.now())
        state = conditions.get("status")
        return self._page(body, [r for r in rows if state in (None, r["status"])], "queueData")

    def _page(self, body: dict[str, Any], rows: Sequence[Any], key: str) -> web.Response:
        size, number = body.get("pageSize", 50), body.get("pageNo", 1)
        if size not in PAGE_SIZES:
            return _error(10000002)
        ordered = rows[::-1] if self.newest_first else rows
        return _success(**{"total": len(rows), key: ordered[(number - 1) * size : number * size]})

    def _payload(self, simulated: _SimulatedJob, *, begin: bool = True) -> dict[str, Any]:
        now = self.clock.now()
        began = simulated.began or now - timedelta(seconds=simulated.script.began_seconds_ago)
        if begin:
            simulated.began = began
        whole = script.payload(simulated.script, began, now, self.zone) | simulated.fixed
        return {key: value for key, value in whole.items() if value is not None}


SIMULATOR: web.AppKey[Simulator] = web.AppKey("simulator", Simulator)


def _matches(job: RobotScript, body: dict[str, Any]) -> bool:
    """Return whether a request selects a job: by its uid, or else by a part of its name."""
    return bool(job.uid == body["uid"] if body.get("uid") else body["jobName"] in job.name)


def _success(**body: Any) -> web.Response:
    return web.json_response({"errorCode": 0, "errorMsg": None, **body})


def _error(code: int) -> web.Response:
    return web.json_response({"errorCode": code, "errorMsg": "made up"})


def simulation(clock: Clock) -> Simulation:
    """Return a simulator with the samples, and the settings that connect to it."""
    simulator = Simulator(clock)
    for sample in SAMPLES:
        simulator.add(sample.job)
    offered = tuple(Sample(sample.title, sample.job.uid, sample.hint) for sample in SAMPLES)

    def settings(url: str) -> dict[str, str | int | bool]:
        return {"provider": "aicc-rpa", "url": url, "tenant_id": TENANT, "app_secret": SECRET}

    return Simulation(simulator.app, settings, (*offered, MISSING_JOB))
