"""One day of a busy channel from a fixed seed: requests, jobs and their changes."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from bot.sdk import JobRef
from plugins.servicestage.script import JobScript, JobStep, JobTimeline, job_timeline, payload
from plugins.servicestage.translator import Answer, translate

if TYPE_CHECKING:
    from bot.sdk import Job

MIDNIGHT = datetime(2026, 11, 18, tzinfo=UTC)
CONNECTION = "deploys"
PEOPLE = tuple(f"U0{name}" for name in ("ADA", "GRACE", "LINUS", "BARBARA", "KEN", "MARGARET"))
SERVICES = tuple(f"DEPLOY_SERVICE_{n:02}" for n in range(40))
FLAKY = SERVICES[:3]  # these fail often
STEPS = (
    *("RESERVE", "CHECK_OUT", "BUILD", "UNIT_TEST", "PACKAGE", "SCAN", "UPLOAD"),
    *("DRAIN", "STOP", "UPGRADE", "START", "VERIFY", "SWITCH", "RELEASE"),
)
# Of a hundred requests, how many name this many jobs.
SIZES, SHARES = (1, 2, 3, 4, 6, 10), (62, 14, 10, 7, 5, 2)
# Of a hundred requests, how many are sent in each hour of the day.
HOURS = (1, 1, 2, 1, 1, 1, 2, 3, 6, 9, 9, 8, 5, 8, 9, 8, 7, 5, 3, 3, 2, 2, 2, 2)


@dataclass(frozen=True)
class RecordedJob:
    """One job of the day."""

    script: JobScript
    timeline: JobTimeline
    began: datetime

    @property
    def ref(self) -> JobRef:
        """The job's reference."""
        return JobRef(connection=CONNECTION, id=self.script.id)

    def job_at(self, now: datetime) -> Job:
        """Return the job as a poll at that time returns it."""
        answer = Answer.model_validate(payload(self.script, self.timeline, self.began, now))
        return translate(self.ref, answer.job, answer.tasks)

    @property
    def ended(self) -> datetime:
        """Time of the last change."""
        return self.change_times[-1]

    @cached_property
    def change_times(self) -> list[datetime]:
        """Times of its changes after its start."""
        marks = [self.timeline.job, *self.timeline.tasks]
        seconds = {at for mark in marks for at, _ in mark if at > 0}
        return [self.began + timedelta(seconds=round(at) + 1) for at in sorted(seconds)]


@dataclass(frozen=True)
class RecordedRequest:
    """One command: its time, user and jobs."""

    at: datetime
    user: str
    runs: tuple[RecordedJob, ...]


@dataclass(frozen=True)
class Day:
    """All requests of the day."""

    requests: tuple[RecordedRequest, ...]

    @property
    def runs(self) -> list[RecordedJob]:
        """The jobs in the order of their requests."""
        return [run for request in self.requests for run in request.runs]

    @property
    def changes(self) -> list[tuple[datetime, RecordedJob]]:
        """All changes in time order."""
        found = [(moment, run) for run in self.runs for moment in run.change_times]
        return sorted(found, key=lambda one: (one[0], one[1].script.id))

    @property
    def failed(self) -> list[RecordedJob]:
        """The failing jobs."""
        return [run for run in self.runs if run.job_at(run.ended).status.failed]


def record_day(jobs: int, seed: int) -> Day:
    """Return the day with this number of jobs for a seed."""
    dice = random.Random(seed)  # noqa: S311  no secret
    requests: list[RecordedRequest] = []
    left = jobs
    while left:
        size = min(left, dice.choices(SIZES, SHARES)[0])
        requests.append(_request(dice, size, left))
        left -= size
    return Day(tuple(sorted(requests, key=lambda request: request.at)))


def _request(dice: random.Random, size: int, number: int) -> RecordedRequest:
    hour = dice.choices(range(24), HOURS)[0]
    at = MIDNIGHT + timedelta(hours=hour, seconds=dice.randrange(3_600))
    runs = tuple(_run(dice, at, number - n) for n in range(size))
    return RecordedRequest(at, dice.choice(PEOPLE), runs)


def _run(dice: random.Random, at: datetime, number: int) -> RecordedJob:
    service = dice.choice(SERVICES)
    fails = dice.random() < (0.7 if service in FLAKY else 0.05)
    names = STEPS[: dice.randint(11, len(STEPS))]
    bad = dice.randrange(len(names)) if fails else None
    steps = tuple(
        JobStep(name, dice.randint(5, 240), *(("FAILED", f"{name}: exit 1") if n == bad else ()))
        for n, name in enumerate(names)
    )
    rolls_back = fails and dice.random() < 0.5
    script = JobScript(f"JOB{number:08x}-0000", steps, type=service, rolls_back=rolls_back)
    return RecordedJob(script, job_timeline(script), at)
