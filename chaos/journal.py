"""What truly happened: each job's words, each answer that showed them, and when the bot was away.

All moments are epoch seconds of this machine's clock, as Slack's timestamps are.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Shown:
    """One answer of the provider that went out whole."""

    word: str
    asked_at: float
    given_at: float


@dataclass(frozen=True)
class Absence:
    """A while in which the bot was not running, or Slack took nothing."""

    began_at: float
    ended_at: float


@dataclass(frozen=True)
class Return:
    """How long the bot took from a kill until it was connected again."""

    seconds: float
    hindered: bool  # whether Slack refused or delayed one of the first calls, or the connection


DYING_SECONDS = 0.2  # after a kill, in which what the dead one asked may still arrive


@dataclass
class Journal:
    """Written by the simulator and the supervisor, read by the judge."""

    moved: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    shown: dict[str, list[Shown]] = field(default_factory=lambda: defaultdict(list))
    ended: set[str] = field(default_factory=set)  # the jobs that have
    absences: list[Absence] = field(default_factory=list)
    kills: list[float] = field(default_factory=list)
    stops: int = 0
    troubles: Counter[str] = field(default_factory=Counter)  # of all around the bot, by kind
    silences: list[Absence] = field(default_factory=list)  # in which Slack took no post
    shut: dict[str, float] = field(default_factory=dict)  # channels, since when they were not sure
    deleted: dict[tuple[str, str], float] = field(default_factory=dict)  # cards, and when
    returns: list[Return] = field(default_factory=list)
    resumed: list[float] = field(default_factory=list)  # seconds from a kill to the first look
    killed_at: float | None = None  # a bot that has not looked at a job since
    faults: int = 0  # the provider's
    ambushes: int = 0  # of its answers, that a newer one was to overtake

    def move(self, job: str, word: str, *, last: bool) -> None:
        """Note that a job has a new word."""
        self.moved[job][word] = time.time()
        if last:
            self.ended.add(job)

    def kill(self, at: float) -> None:
        """Note that the bot was killed."""
        self.kills.append(at)
        self.killed_at = at

    def look(self, at: float) -> None:
        """Note that the bot looks at a job: after a kill, it has begun to catch up."""
        if self.killed_at is not None and at - self.killed_at > DYING_SECONDS:
            self.resumed.append(at - self.killed_at)
            self.killed_at = None

    def words(self, job: str) -> list[str]:
        """Return the words of a job, in order."""
        return list(self.moved.get(job, ()))

    @property
    def changes(self) -> int:
        """How often a job changed; the word that it began with is no change."""
        return sum(len(words) - 1 for words in self.moved.values())

    def away(self, began_at: float, ended_at: float) -> bool:
        """Whether the bot was not running at some moment in between."""
        return any(a.began_at < ended_at and began_at < a.ended_at for a in self.absences)
