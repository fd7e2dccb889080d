"""Journal of a run: each job's statuses, the provider's answers, and the bot's outages.

All times are epoch seconds of this machine's clock, like Slack's timestamps.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Shown:
    """One complete answer of the provider."""

    word: str
    asked_at: float
    given_at: float


@dataclass(frozen=True)
class Absence:
    """A period in which the bot was not running, or Slack accepted no post."""

    began_at: float
    ended_at: float


@dataclass(frozen=True)
class Return:
    """The time from a kill to the next connection."""

    seconds: float
    hindered: bool  # whether a fault hit the connection or one of the first calls


DYING_SECONDS = 0.2  # after a kill, while calls of the killed bot may still arrive


@dataclass
class Journal:
    """Written by the simulators and the supervisor, read by the verdict."""

    moved: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    shown: dict[str, list[Shown]] = field(default_factory=lambda: defaultdict(list))
    ended: set[str] = field(default_factory=set)  # jobs that have ended
    absences: list[Absence] = field(default_factory=list)
    kills: list[float] = field(default_factory=list)
    stops: int = 0
    troubles: Counter[str] = field(default_factory=Counter)  # environment faults, by kind
    silences: list[Absence] = field(default_factory=list)  # while Slack accepted no post
    shut: dict[str, float] = field(
        default_factory=dict
    )  # channels: since when they may be unavailable
    deleted: dict[tuple[str, str], float] = field(
        default_factory=dict
    )  # cards: when they were deleted
    returns: list[Return] = field(default_factory=list)
    resumed: list[float] = field(default_factory=list)  # seconds from a kill to the first poll
    killed_at: float | None = None  # None after the first poll since the kill
    faults: int = 0  # of the provider
    ambushes: int = 0  # provider answers that a newer one was to overtake

    def move(self, job: str, word: str, *, last: bool) -> None:
        """Record a job's new status."""
        self.moved[job][word] = time.time()
        if last:
            self.ended.add(job)

    def kill(self, at: float) -> None:
        """Record a kill of the bot."""
        self.kills.append(at)
        self.killed_at = at

    def look(self, at: float) -> None:
        """Record a poll; the first one after a kill gives the recovery time."""
        if self.killed_at is not None and at - self.killed_at > DYING_SECONDS:
            self.resumed.append(at - self.killed_at)
            self.killed_at = None

    def words(self, job: str) -> list[str]:
        """Return the statuses of a job, in order."""
        return list(self.moved.get(job, ()))

    @property
    def changes(self) -> int:
        """The number of job changes; a job's first status is no change."""
        return sum(len(words) - 1 for words in self.moved.values())

    def away(self, began_at: float, ended_at: float) -> bool:
        """Return whether an outage overlaps this period."""
        return any(a.began_at < ended_at and began_at < a.ended_at for a in self.absences)
