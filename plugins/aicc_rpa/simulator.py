"""AICC RPA, simulated: the API of its pages, with tokens, a lock, and errors sent as HTTP 200."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.providers.provider import Sample, Simulation
from bot.testing.faults import Call, Fault, Faults
from plugins.aicc_rpa import script
from plugins.aicc_rpa.api import PATH
from plugins.aicc_rpa.samples import NOT_A_JOB, SAMPLES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.clock import Clock
    from plugins.aicc_rpa.script import RobotScript

TENANT = "202201072597"
SECRET = "made-up-password"  # noqa: S105  made up
LIFE_SECONDS = 3600
WRONG_UNTIL_LOCKED = 5
LOCK = timedelta(minutes=30)
SIZES = (5, 10, 20, 50)
LISTED = (  # what the list tells of a job: not how its latest run went
    *("uid", "jobName", "createTime", "startTime"),
    *("status", "mode", "runMode", "timeout", "description"),
)


@dataclass
class _Held:
    """A job of the simulator; it begins when it is first asked for."""

    script: RobotScript
    began: datetime | None = None
    fixed: dict[str, Any] = field(default_factory=dict)  # what a test has decided


class Simulator:
    """Holds jobs and answers for them; tests turn its clock and decide what it says of jobs."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.zone = ZoneInfo("Asia/Shanghai")
        self.tokens: dict[str, datetime] = {}  # token → its end
        self.tokens_given = 0
        self.newest_first = True  # in lists: the order is not documented
        self.lonely_objects = True  # a single job is not put into an array
        self.entries: dict[str, list[dict[str, Any]]] = {}  # a queue's, as a test decided
        self.app = web.Application()
        self.app[SIMULATOR] = self
        self.faults = Faults.of(self.app, clock)
        self.app.router.add_post(f"{PATH}/gettoken", self._give_token)
        self.app.router.add_post(f"{PATH}/rpa/{{call}}", self._answer)
        self._jobs: dict[str, _Held] = {}
        self._wrong = 0
        self._locked_until: datetime | None = None

    @property
    def calls(self) -> list[Call]:
        """Every call that arrived, oldest first."""
        return self.faults.calls

    @property
    def asked(self) -> list[str]:
        """The last words of the paths of all calls: "gettoken", "queryJobDetails"."""
        return [call.path.rpartition("/")[2] for call in self.calls]

    def add(self, job: RobotScript, **fixed: Any) -> str:
        """Hold a job; `fixed` are fields of its answer, a field of None is left out."""
        self._jobs[job.uid] = _Held(job, fixed=fixed)
        return job.uid

    def put(self, name: str = "Export", **fixed: Any) -> str:
        """Hold a job that stands as its fields say."""
        return self.add(script.RobotScript(uuid4().hex, name), **fixed)

    def change(self, uid: str, **fixed: Any) -> None:
        """Let a job stand as these fields say from now on."""
        self._jobs[uid].fixed |= fixed

    def refuse(self, code: int, times: int | None = 1, status: int = 200) -> None:
        """Answer the next calls with an error code."""
        self.faults.plan(Fault(status, {"errorCode": code, "errorMsg": "made up"}), times)

    async def _give_token(self, request: web.Request) -> web.Response:
        asked, now = await request.json(), self.clock.now()
        if self._locked_until and now < self._locked_until:
            return _error(200800003)
        if (asked.get("appKey"), asked.get("appSecret")) != (TENANT, SECRET):
            self._wrong += 1
            if self._wrong >= WRONG_UNTIL_LOCKED:
                self._wrong, self._locked_until = 0, now + LOCK
            return _error(200800002)
        self.tokens_given += 1
        token = f"made-up-token-{self.tokens_given}"
        self.tokens[token] = now + timedelta(seconds=LIFE_SECONDS)
        return _fine(authToken=token, expireTime=LIFE_SECONDS)

    async def _answer(self, request: web.Request) -> web.Response:
        asked = await request.json()
        ends = self.tokens.get(asked.get("authToken"))
        if ends is None or asked.get("tenantId") != TENANT:
            return _error(900002)
        if self.clock.now() >= ends:
            return _error(900001)
        calls = {
            "queryJobDetails": self._details,
            "queryJob": self._list,
            "queryRpaQueueData": self._queue,
        }
        call = calls.get(request.match_info["call"])
        return call(asked) if call else web.Response(status=404)

    def _details(self, asked: dict[str, Any]) -> web.Response:
        if not (asked.get("uid") or asked.get("jobName")):
            return _error(10000002)
        found = [self._payload(job) for job in self._jobs.values() if _meant(job.script, asked)]
        lonely = self.lonely_objects and len(found) == 1
        return _fine(jobDetail=(found[0] if lonely else found) if found else None)

    def _list(self, asked: dict[str, Any]) -> web.Response:
        jobs = [self._payload(held, begin=False) for held in self._jobs.values()]
        jobs.sort(key=lambda job: str(job["createTime"]))
        rows = [{key: job[key] for key in LISTED if key in job} for job in jobs]
        return self._page(asked, rows, "jobs")

    def _queue(self, asked: dict[str, Any]) -> web.Response:
        wanted = asked.get("conditions") or {}
        if not wanted.get("queueUid"):
            return _error(10000002)
        rows = list(self.entries.get(wanted["queueUid"], ()))
        for held in self._jobs.values():
            if held.script.queue_uid == wanted["queueUid"] and held.began:
                rows += script.failed_entries(held.script, held.began, self.clock.now())
        state = wanted.get("status")
        return self._page(asked, [r for r in rows if state in (None, r["status"])], "queueData")

    def _page(self, asked: dict[str, Any], rows: Sequence[Any], key: str) -> web.Response:
        size, number = asked.get("pageSize", 50), asked.get("pageNo", 1)
        if size not in SIZES:
            return _error(10000002)
        ordered = rows[::-1] if self.newest_first else rows
        return _fine(**{"total": len(rows), key: ordered[(number - 1) * size : number * size]})

    def _payload(self, held: _Held, *, begin: bool = True) -> dict[str, Any]:
        now = self.clock.now()
        began = held.began or now - timedelta(seconds=held.script.began_seconds_ago)
        if begin:
            held.began = began
        whole = script.payload(held.script, began, now, self.zone) | held.fixed
        return {key: value for key, value in whole.items() if value is not None}


SIMULATOR: web.AppKey[Simulator] = web.AppKey("simulator", Simulator)


def _meant(job: RobotScript, asked: dict[str, Any]) -> bool:
    """Tell whether a job is asked for: by its uid, or else by a part of its name."""
    return bool(job.uid == asked["uid"] if asked.get("uid") else asked["jobName"] in job.name)


def _fine(**body: Any) -> web.Response:
    return web.json_response({"errorCode": 0, "errorMsg": None, **body})


def _error(code: int) -> web.Response:
    return web.json_response({"errorCode": code, "errorMsg": "made up"})


def simulation(clock: Clock) -> Simulation:
    """Return a simulator that holds the samples, with settings that reach it."""
    simulator = Simulator(clock)
    for sample in SAMPLES:
        simulator.add(sample.job)
    offered = tuple(Sample(sample.title, sample.job.uid, sample.hint) for sample in SAMPLES)

    def settings(url: str) -> dict[str, str | int | bool]:
        return {"provider": "aicc-rpa", "url": url, "tenant_id": TENANT, "app_secret": SECRET}

    return Simulation(simulator.app, settings, (*offered, NOT_A_JOB))
