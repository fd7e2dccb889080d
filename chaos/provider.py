"""The provider of the run: the ServiceStage simulator, its jobs' moves, its faults, its journal."""

from __future__ import annotations

import asyncio
import heapq
import json
import time
from random import Random
from typing import TYPE_CHECKING

from aiohttp import web

from bot.clock import SystemClock
from chaos.journal import Shown
from chaos.plan import FAULTY_ANSWERS, HELD_ANSWERS
from plugins.huaweicloud.simulator import refusal
from plugins.servicestage.script import JobScript
from plugins.servicestage.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.typedefs import Handler

    from chaos.journal import Journal
    from chaos.plan import Course, Plan

AMBUSHES = 0.5  # of the answers held back: the job moves on meanwhile, and somebody else looks


class Provider:
    """Moves its jobs as their courses say, from when each is first shown."""

    def __init__(self, plan: Plan, journal: Journal) -> None:
        self.simulator = Simulator(SystemClock())
        self.simulator.app.middlewares.insert(0, self._answer)
        self._lots = Random(f"{plan.seed} provider")
        self._journal = journal
        self.on_ambush: Callable[[str], None] = lambda _: None  # somebody looks at a job anew
        self._courses: dict[str, Course] = {}
        self._at: dict[str, int] = {}  # which of its words a job has
        self._due: list[tuple[float, str, int]] = []  # when, which job, from which word
        self._calm = False

    def add(self, course: Course) -> None:
        """Hold a job, once; it has its first word."""
        if course.job in self._courses:
            return
        self._courses[course.job] = course
        self.simulator.add(JobScript(course.job, queued_seconds=0))
        self._say(course, 0)

    async def run(self) -> None:
        """Move the jobs when their time comes, until cancelled."""
        while True:
            while self._due and self._due[0][0] <= time.time():
                _, job, was = heapq.heappop(self._due)
                if self._at[job] == was:
                    self._move_on(job)
            await asyncio.sleep(0.02)

    def calm_down(self) -> None:
        """Answer well from now on, and let every job end."""
        self._calm = True
        for job, course in self._courses.items():
            if job not in self._journal.ended:
                self._say(course, len(course.words) - 1)

    def _move_on(self, job: str) -> None:
        course, at = self._courses[job], self._at[job]
        if at + 1 < len(course.words):
            self._say(course, at + 1)
            self._expect(job)

    def _expect(self, job: str) -> None:
        course, at = self._courses[job], self._at[job]
        if at < len(course.gaps):
            heapq.heappush(self._due, (time.time() + course.gaps[at], job, at))

    def _say(self, course: Course, at: int) -> None:
        self._at[course.job] = at
        self.simulator.finish(course.job, course.words[at])
        self._journal.move(course.job, course.words[at], last=at == len(course.words) - 1)

    @web.middleware
    async def _answer(
        self,
        request: web.Request,
        handler: Handler,  # aiohttp passes it by name
    ) -> web.StreamResponse:
        """Answer for the simulator: not at all, or late, or well; the journal has what went out."""
        asked_at, fate = time.time(), self._fate()
        if fate == "down":
            return refusal(503, "APIGW.0613", "The gateway is not available.")
        answer = await handler(request)
        job = request.path.rpartition("/")[2]
        if fate == "cut" and request.transport:
            request.transport.abort()
        if fate in ("held", "ambush"):
            await self._hold(job, ambush=fate == "ambush")
        if fate != "cut" and isinstance(answer, web.Response) and answer.status == 200:
            self._write(job, answer, asked_at)
        return answer

    def _fate(self) -> str:
        lot = self._lots.random()
        if self._calm or lot > FAULTY_ANSWERS + HELD_ANSWERS:
            return "well"
        if lot < FAULTY_ANSWERS:
            self._journal.faults += 1
            return "down" if lot < FAULTY_ANSWERS / 2 else "cut"
        return "ambush" if self._lots.random() < AMBUSHES else "held"

    async def _hold(self, job: str, *, ambush: bool) -> None:
        if ambush and job in self._courses:
            self._move_on(job)
            self.on_ambush(job)
        await asyncio.sleep(self._lots.uniform(0.3, 1.5))

    def _write(self, job: str, answer: web.Response, asked_at: float) -> None:
        word = json.loads(answer.text or "{}")["job"]["execution_status"]
        if job not in self._journal.shown:
            self._expect(job)
        self._journal.shown[job].append(Shown(word, asked_at, time.time()))
