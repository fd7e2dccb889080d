"""What one run is to do: how long, how many, how fast; and what each job will go through. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from random import Random
from typing import TYPE_CHECKING

from chaos.words import ENDS, LIVING

if TYPE_CHECKING:
    from collections.abc import Iterator

WATCHES_PER_MINUTE = 200
CHANNELS = 200
SPARE = 1.08  # some jobs end before anybody can follow them
FAULTY = 0.20  # of all calls of Slack's API
FAULTY_ANSWERS = 0.05  # of the provider's answers that never arrive whole
HELD_ANSWERS = 0.05  # of the provider's answers that arrive late
AMBUSHED_NEWS = 0.15  # of the provider's answers with news that a newer answer overtakes
OWED_PER_WATCH = 0.5  # changes that a run must have made which the bot lived to tell
KILLS_PER_MINUTE = 6.0
MOST_OVERTIME = 2.0  # of the run's own time, for a machine that is too slow to get there in it


@dataclass(frozen=True)
class Course:
    """What one job goes through: its words, and the seconds from each to the next."""

    job: str
    words: tuple[str, ...]
    gaps: tuple[float, ...]


@dataclass(frozen=True)
class Wish:
    """Somebody wants to know about a job: in which place, and in which way."""

    job: str
    channel: int  # its number; -1 is a direct message
    way: str  # command, mention or direct


@dataclass(frozen=True)
class Plan:
    """One run, all of which follows from these."""

    minutes: float = 15.0
    seed: int = 1
    watches: int = 3_000
    sabotage: str = ""
    log: str = ""  # where the bot's log goes, if it is to be kept

    @property
    def seconds(self) -> float:
        """How long things go wrong."""
        return self.minutes * 60

    @property
    def poll_seconds(self) -> float:
        """Between two looks at a job: short runs are quicker."""
        return 1.5 if self.seconds < 45 else 2.0 if self.seconds < 150 else 4.0

    @property
    def owed(self) -> int:
        """How many changes must be owed to the threads before the run may end."""
        return round(self.watches * OWED_PER_WATCH)

    @property
    def kills(self) -> int:
        """How often the bot must have been killed before the run may end."""
        return max(2, round(self.minutes * KILLS_PER_MINUTE))

    @property
    def asking_seconds(self) -> float:
        """For how long people ask: what they ask for must have time to change."""
        return max(self.seconds * 0.75, self.seconds - 90)

    @property
    def patience_seconds(self) -> float:
        """How long the bot may take to catch up once everything works again."""
        return 180.0 if self.seconds < 150 else 300.0

    def courses(self) -> Iterator[Course]:
        """Give jobs without end."""
        lots = Random(f"{self.seed} courses")
        while True:
            yield self._course(lots)

    def _course(self, lots: Random) -> Course:
        words = (*lots.sample(LIVING, lots.randint(4, 6)), lots.choice(ENDS))
        gaps = tuple(self.poll_seconds * lots.uniform(1.0, 4.5) for _ in words[1:])
        return Course(job_id(lots), words, gaps)

    def wishes(self, courses: Iterator[Course]) -> Iterator[tuple[Wish, Course | None]]:
        """Give what people ask for: jobs, some of them in two channels; now and then no job."""
        lots = Random(f"{self.seed} wishes")
        wanted = ceil(self.watches * SPARE)
        while wanted > 0:
            if lots.random() < 0.04:
                yield Wish(job_id(lots), lots.randrange(CHANNELS), "command"), None
            course = next(courses)
            places = lots.sample(range(CHANNELS), 2 if lots.random() < 0.15 else 1)
            for place in places[:wanted]:
                yield _wish(lots, course, place), course
            wanted -= len(places)


def _wish(lots: Random, course: Course, place: int) -> Wish:
    way = lots.choices(("command", "mention", "direct"), (70, 25, 5))[0]
    return Wish(course.job, -1 if way == "direct" else place, way)


def job_id(lots: Random) -> str:
    """Return an id as ServiceStage gives them."""
    digits = f"{lots.getrandbits(128):032x}"
    cuts = (0, 8, 12, 16, 20, 32)
    return "JOB" + "-".join(digits[a:b] for a, b in pairwise(cuts))
