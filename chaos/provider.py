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
from chaos.plan import AMBUSHED_NEWS, FAULTY_ANSWERS, HELD_ANSWERS
from plugins.huaweicloud.simulator import refusal
from plugins.servicestage.script import JobScript
from plugins.servicestage.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.typedefs import Handler

    from chaos.journal import Journal
    from chaos.plan import Course, Plan

OVERTAKEN_SECONDS = 2.0  # that an ambushed answer is held at most
WRITING_SECONDS = 0.5  # then, that the bot gets to write down the answer which overtook it
REST_SECONDS = 3.0  # afterwards: a look that was wrongly written down is followed by another


class Provider:
    """Moves its jobs as their courses say, from when each is first shown."""

    def __init__(self, plan: Plan, journal: Journal) -> None:
        self.simulator = Simulator(SystemClock())
        self.simulator.app.middlewares.insert(0, self._answer)
        self._lots = Random(f"{plan.seed} provider")
        self._journal = journal
        self.on_ambush: Callable[[str], bool] = lambda _: False  # whether somebody looks anew
        self._courses: dict[str, Course] = {}
        self._at: dict[str, int] = {}  # which of its words a job has
        self._due: list[tuple[float, str, int]] = []  # when, which job, from which word
        self._ambushed: dict[str, asyncio.Event] = {}  # set when a newer answer has gone out
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

    def _expect(self, job: str, rest: float = 0.0) -> None:
        course, at = self._courses[job], self._at[job]
        if at < len(course.gaps):
            heapq.heappush(self._due, (time.time() + rest + course.gaps[at], job, at))

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
        asked_at, job = time.time(), request.path.rpartition("/")[2]
        self._journal.look(asked_at)
        fate = "well" if job in self._ambushed else self._fate()
        if fate == "down":
            return refusal(503, "APIGW.0613", "The gateway is not available.")
        answer = await handler(request)
        if fate == "cut" and request.transport:
            request.transport.abort()
        if fate == "cut" or not isinstance(answer, web.Response) or answer.status != 200:
            return answer
        word = json.loads(answer.text or "{}")["job"]["execution_status"]
        if fate == "held":
            await asyncio.sleep(self._lots.uniform(0.3, 1.5))
        elif self._is_to_be_overtaken(job, word):
            await self._ambush(job)
        self._write(job, word, asked_at)
        return answer

    def _fate(self) -> str:
        lot = self._lots.random()
        if self._calm or lot > FAULTY_ANSWERS + HELD_ANSWERS:
            return "well"
        if lot < FAULTY_ANSWERS:
            self._journal.faults += 1
            return "down" if lot < FAULTY_ANSWERS / 2 else "cut"
        return "held"

    def _is_to_be_overtaken(self, job: str, word: str) -> bool:
        """Whether this is the first answer with a word, which is not the job's last, and drawn."""
        if self._calm or job not in self._courses or job in self._ambushed:
            return False
        shown = [one.word for one in self._journal.shown.get(job, ())]
        last = self._at[job] + 2 >= len(self._courses[job].words)  # or the one before it
        news = bool(shown) and word not in shown and not last
        return news and self._lots.random() < AMBUSHED_NEWS

    async def _ambush(self, job: str) -> None:
        """Let the job move on, and this answer arrive when a newer one has been written down.

        Two people look anew at once: a poll in flight is overtaken, and so are two answers.
        """
        if not self.on_ambush(job):
            return
        self._say(self._courses[job], self._at[job] + 1)
        overtaken = self._ambushed[job] = asyncio.Event()
        self._journal.ambushes += 1
        try:
            await asyncio.wait_for(overtaken.wait(), OVERTAKEN_SECONDS)
            await asyncio.sleep(WRITING_SECONDS)
        except TimeoutError:
            pass  # nobody's click arrived
        finally:
            del self._ambushed[job]
            self._expect(job, REST_SECONDS)

    def _write(self, job: str, word: str, asked_at: float) -> None:
        if job not in self._journal.shown:
            self._expect(job)
        self._journal.shown[job].append(Shown(word, asked_at, time.time()))
        if job in self._ambushed:
            self._ambushed[job].set()
