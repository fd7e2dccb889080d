"""A day of one busy channel, from a fixed seed: who asks for which jobs when, and what those do."""

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
FLAKY = SERVICES[:3]  # these fail again and again
STEPS = (
    *("RESERVE", "CHECK_OUT", "BUILD", "UNIT_TEST", "PACKAGE", "SCAN", "UPLOAD"),
    *("DRAIN", "STOP", "UPGRADE", "START", "VERIFY", "SWITCH", "RELEASE"),
)
# Of a hundred asks, how many name so many jobs at once.
SIZES, SHARES = (1, 2, 3, 4, 6, 10), (62, 14, 10, 7, 5, 2)
# How many of a hundred asks come in each hour of the day.
HOURS = (1, 1, 2, 1, 1, 1, 2, 3, 6, 9, 9, 8, 5, 8, 9, 8, 7, 5, 3, 3, 2, 2, 2, 2)


@dataclass(frozen=True)
class Run:
    """One job of the day."""

    script: JobScript
    course: JobTimeline
    began: datetime

    @property
    def ref(self) -> JobRef:
        """The job's address."""
        return JobRef(connection=CONNECTION, id=self.script.id)

    def seen(self, now: datetime) -> Job:
        """Return the job as a look would find it."""
        answer = Answer.model_validate(payload(self.script, self.course, self.began, now))
        return translate(self.ref, answer.job, answer.tasks)

    @property
    def ended(self) -> datetime:
        """When the last of it has changed."""
        return self.moments[-1]

    @cached_property
    def moments(self) -> list[datetime]:
        """When something about it changes, after it began."""
        marks = [self.course.job, *self.course.tasks]
        seconds = {at for mark in marks for at, _ in mark if at > 0}
        return [self.began + timedelta(seconds=round(at) + 1) for at in sorted(seconds)]


@dataclass(frozen=True)
class Asked:
    """One command: who asked when, and for which jobs."""

    at: datetime
    user: str
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Day:
    """All that happens in the channel."""

    asks: tuple[Asked, ...]

    @property
    def runs(self) -> list[Run]:
        """The jobs, in the order in which they were asked for."""
        return [run for asked in self.asks for run in asked.runs]

    @property
    def changes(self) -> list[tuple[datetime, Run]]:
        """What a look finds changed, in its order."""
        found = [(moment, run) for run in self.runs for moment in run.moments]
        return sorted(found, key=lambda one: (one[0], one[1].script.id))

    @property
    def failed(self) -> list[Run]:
        """The jobs that fail."""
        return [run for run in self.runs if run.seen(run.ended).status.failed]


def recorded(jobs: int, seed: int) -> Day:
    """Return the day of so many jobs that this seed stands for."""
    dice = random.Random(seed)  # noqa: S311  no secret
    asks: list[Asked] = []
    left = jobs
    while left:
        size = min(left, dice.choices(SIZES, SHARES)[0])
        asks.append(_asked(dice, size, left))
        left -= size
    return Day(tuple(sorted(asks, key=lambda asked: asked.at)))


def _asked(dice: random.Random, size: int, number: int) -> Asked:
    hour = dice.choices(range(24), HOURS)[0]
    at = MIDNIGHT + timedelta(hours=hour, seconds=dice.randrange(3_600))
    runs = tuple(_run(dice, at, number - n) for n in range(size))
    return Asked(at, dice.choice(PEOPLE), runs)


def _run(dice: random.Random, at: datetime, number: int) -> Run:
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
    return Run(script, job_timeline(script), at)
