"""Plan of a run: duration, load, fault rates, and each job's timeline. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from random import Random
from typing import TYPE_CHECKING

from chaos.message_parser import ACTIVE_STATUSES, FINAL_STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterator

WATCHES_PER_MINUTE = 200
CHANNELS = 200
OVERSUPPLY = 1.08  # some jobs end before they can be followed
SLACK_FAULT_RATE = 0.20  # share of all Slack API calls
LOST_ANSWER_RATE = 0.05  # share of provider answers that are lost
LATE_ANSWER_RATE = 0.05  # share of provider answers that are late
OVERTAKEN_ANSWER_RATE = 0.15  # share of changed provider answers that a newer one overtakes
OWED_PER_WATCH = 0.5  # minimum number of expected replies
KILLS_PER_MINUTE = 6.0
MAX_OVERTIME = 2.0  # factor of the run's duration, for slow machines


@dataclass(frozen=True)
class Timeline:
    """One job's statuses, and the seconds from each to the next."""

    job: str
    statuses: tuple[str, ...]
    intervals: tuple[float, ...]


@dataclass(frozen=True)
class PlannedRequest:
    """A request for a job: its channel and its kind."""

    job: str
    channel: int  # number of the channel; -1 is a direct message
    kind: str  # command, mention or direct


@dataclass(frozen=True)
class Plan:
    """Parameters that determine one run."""

    minutes: float = 15.0
    seed: int = 1
    watches: int = 3_000
    disabled_safeguard: str = ""
    log: str = ""  # file for the bot's log, if it is kept

    @property
    def seconds(self) -> float:
        """The duration of the faults."""
        return self.minutes * 60

    @property
    def poll_seconds(self) -> float:
        """The poll interval; shorter in short runs."""
        return 1.5 if self.seconds < 45 else 2.0 if self.seconds < 150 else 4.0

    @property
    def min_expected(self) -> int:
        """The number of expected replies before the run may end."""
        return round(self.watches * OWED_PER_WATCH)

    @property
    def min_kills(self) -> int:
        """The number of kills before the run may end."""
        return max(2, round(self.minutes * KILLS_PER_MINUTE))

    @property
    def request_seconds(self) -> float:
        """The duration of requests; requested jobs need time to change."""
        return max(self.seconds * 0.75, self.seconds - 90)

    @property
    def catch_up_timeout_seconds(self) -> float:
        """The time that the bot may take to catch up after the faults."""
        return 180.0 if self.seconds < 150 else 300.0

    def timelines(self) -> Iterator[Timeline]:
        """Yield an endless sequence of jobs."""
        rng = Random(f"{self.seed} timelines")
        while True:
            yield self._timeline(rng)

    def _timeline(self, rng: Random) -> Timeline:
        statuses = (*rng.sample(ACTIVE_STATUSES, rng.randint(4, 6)), rng.choice(FINAL_STATUSES))
        intervals = tuple(self.poll_seconds * rng.uniform(1.0, 4.5) for _ in statuses[1:])
        return Timeline(job_id(rng), statuses, intervals)

    def requests(
        self, timelines: Iterator[Timeline]
    ) -> Iterator[tuple[PlannedRequest, Timeline | None]]:
        """Yield the requests: some for a job in two channels, some for unknown jobs."""
        rng = Random(f"{self.seed} requests")
        wanted = ceil(self.watches * OVERSUPPLY)
        while wanted > 0:
            if rng.random() < 0.04:
                yield PlannedRequest(job_id(rng), rng.randrange(CHANNELS), "command"), None
            timeline = next(timelines)
            channels = rng.sample(range(CHANNELS), 2 if rng.random() < 0.15 else 1)
            for channel in channels[:wanted]:
                yield _request(rng, timeline, channel), timeline
            wanted -= len(channels)


def _request(rng: Random, timeline: Timeline, channel: int) -> PlannedRequest:
    way = rng.choices(("command", "mention", "direct"), (70, 25, 5))[0]
    return PlannedRequest(timeline.job, -1 if way == "direct" else channel, way)


def job_id(rng: Random) -> str:
    """Return an id in ServiceStage's format."""
    digits = f"{rng.getrandbits(128):032x}"
    cuts = (0, 8, 12, 16, 20, 32)
    return "JOB" + "-".join(digits[a:b] for a, b in pairwise(cuts))
