"""Simulated provider: moves jobs along their timelines, injects faults, keeps the journal."""

from __future__ import annotations

import asyncio
import heapq
import json
import time
from random import Random
from typing import TYPE_CHECKING

from aiohttp import web

from bot.sdk.clock import SystemClock
from chaos.journal import ProviderAnswer
from chaos.plan import LATE_ANSWER_RATE, LOST_ANSWER_RATE, OVERTAKEN_ANSWER_RATE
from plugins.huaweicloud.simulator import error_response
from plugins.servicestage.script import JobScript
from plugins.servicestage.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.typedefs import Handler

    from chaos.journal import Journal
    from chaos.plan import Plan, Timeline

OVERTAKEN_SECONDS = 2.0  # longest delay of an answer that is to be overtaken
WRITING_SECONDS = 0.5  # then, for the bot to store the overtaking answer
REST_SECONDS = 3.0  # afterwards, so that a wrongly stored result is followed by another poll


class SimulatedProvider:
    """Moves each job along its timeline, from its first answer on."""

    def __init__(self, plan: Plan, journal: Journal) -> None:
        self.simulator = Simulator(SystemClock())
        self.simulator.app.middlewares.insert(0, self._answer)
        self._random = Random(f"{plan.seed} provider")
        self._journal = journal
        self.on_overtake: Callable[[str], bool] = lambda _: False  # returns whether users refresh
        self._timelines: dict[str, Timeline] = {}
        self._at: dict[str, int] = {}  # index of a job's current status
        self._due: list[tuple[float, str, int]] = []  # time, job, index of its status then
        self._overtaken: dict[str, asyncio.Event] = {}  # set when a newer answer was sent
        self._faultless = False

    def add(self, timeline: Timeline) -> None:
        """Add a job with its first status; a second call has no effect."""
        if timeline.job in self._timelines:
            return
        self._timelines[timeline.job] = timeline
        self.simulator.add(JobScript(timeline.job, queued_seconds=0))
        self._set_status(timeline, 0)

    async def run(self) -> None:
        """Move the jobs at their times, until cancelled."""
        while True:
            while self._due and self._due[0][0] <= time.time():
                _, job, was = heapq.heappop(self._due)
                if self._at[job] == was:
                    self._advance(job)
            await asyncio.sleep(0.02)

    def stop_faults(self) -> None:
        """Stop all faults, and end every job."""
        self._faultless = True
        for job, timeline in self._timelines.items():
            if job not in self._journal.ended:
                self._set_status(timeline, len(timeline.statuses) - 1)

    def _advance(self, job: str) -> None:
        timeline, at = self._timelines[job], self._at[job]
        if at + 1 < len(timeline.statuses):
            self._set_status(timeline, at + 1)
            self._schedule_next(job)

    def _schedule_next(self, job: str, delay: float = 0.0) -> None:
        timeline, at = self._timelines[job], self._at[job]
        if at < len(timeline.intervals):
            heapq.heappush(self._due, (time.time() + delay + timeline.intervals[at], job, at))

    def _set_status(self, timeline: Timeline, at: int) -> None:
        self._at[timeline.job] = at
        self.simulator.finish(timeline.job, timeline.statuses[at])
        self._journal.record_status(
            timeline.job, timeline.statuses[at], last=at == len(timeline.statuses) - 1
        )

    @web.middleware
    async def _answer(
        self,
        request: web.Request,
        handler: Handler,  # aiohttp passes it by name
    ) -> web.StreamResponse:
        """Answer with a fault, late, or normally; record complete answers in the journal."""
        asked_at, job = time.time(), request.path.rpartition("/")[2]
        self._journal.record_poll(asked_at)
        fate = "normal" if job in self._overtaken else self._choose_fate()
        if fate == "down":
            return error_response(503, "APIGW.0613", "The gateway is not available.")
        answer = await handler(request)
        if fate == "cut" and request.transport:
            request.transport.abort()
        if fate == "cut" or not isinstance(answer, web.Response) or answer.status != 200:
            return answer
        status = json.loads(answer.text or "{}")["job"]["execution_status"]
        if fate == "late":
            await asyncio.sleep(self._random.uniform(0.3, 1.5))
        elif self._is_to_be_overtaken(job, status):
            await self._delay_until_overtaken(job)
        self._record_answer(job, status, asked_at)
        return answer

    def _choose_fate(self) -> str:
        draw = self._random.random()
        if self._faultless or draw > LOST_ANSWER_RATE + LATE_ANSWER_RATE:
            return "normal"
        if draw < LOST_ANSWER_RATE:
            self._journal.provider_faults += 1
            return "down" if draw < LOST_ANSWER_RATE / 2 else "cut"
        return "late"

    def _is_to_be_overtaken(self, job: str, status: str) -> bool:
        """Choose some first answers with a status that is not among the job's last two."""
        if self._faultless or job not in self._timelines or job in self._overtaken:
            return False
        shown = [answer.status for answer in self._journal.answers.get(job, ())]
        last = self._at[job] + 2 >= len(self._timelines[job].statuses)  # or the one before it
        changed = bool(shown) and status not in shown and not last
        return changed and self._random.random() < OVERTAKEN_ANSWER_RATE

    async def _delay_until_overtaken(self, job: str) -> None:
        """Move the job on, and delay this answer until the bot has stored a newer one.

        Two users refresh at once, so the poll in flight is overtaken.
        """
        if not self.on_overtake(job):
            return
        self._set_status(self._timelines[job], self._at[job] + 1)
        overtaken = self._overtaken[job] = asyncio.Event()
        self._journal.overtaken_answers += 1
        try:
            await asyncio.wait_for(overtaken.wait(), OVERTAKEN_SECONDS)
            await asyncio.sleep(WRITING_SECONDS)
        except TimeoutError:
            pass  # no click arrived
        finally:
            del self._overtaken[job]
            self._schedule_next(job, REST_SECONDS)

    def _record_answer(self, job: str, status: str, asked_at: float) -> None:
        if job not in self._journal.answers:
            self._schedule_next(job)
        self._journal.answers[job].append(ProviderAnswer(status, asked_at, time.time()))
        if job in self._overtaken:
            self._overtaken[job].set()
