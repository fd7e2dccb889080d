"""Journal of a run: each job's statuses, the provider's answers, and the bot's outages.

All times are epoch seconds of this machine's clock, like Slack's timestamps.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ProviderAnswer:
    """One complete answer of the provider."""

    status: str
    requested_at: float
    answered_at: float


@dataclass(frozen=True)
class Outage:
    """A period in which the bot was not running, or Slack accepted no post."""

    began_at: float
    ended_at: float


@dataclass(frozen=True)
class Reconnect:
    """The time from a kill to the next connection."""

    seconds: float
    disturbed: bool  # whether a fault hit the connection or one of the first calls


DYING_SECONDS = 0.2  # after a kill, while calls of the killed bot may still arrive


@dataclass
class Journal:
    """Written by the simulators and the supervisor, read by the verdict."""

    status_times: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    answers: dict[str, list[ProviderAnswer]] = field(default_factory=lambda: defaultdict(list))
    ended: set[str] = field(default_factory=set)  # jobs that have ended
    outages: list[Outage] = field(default_factory=list)
    kills: list[float] = field(default_factory=list)
    stops: int = 0
    environment_faults: Counter[str] = field(default_factory=Counter)  # by kind
    post_outages: list[Outage] = field(default_factory=list)  # while Slack accepted no post
    closed_channels: dict[str, float] = field(
        default_factory=dict
    )  # channels: since when they may be unavailable
    deleted_cards: dict[tuple[str, str], float] = field(
        default_factory=dict
    )  # cards: when they were deleted
    reconnects: list[Reconnect] = field(default_factory=list)
    first_poll_seconds: list[float] = field(
        default_factory=list
    )  # seconds from a kill to the first poll
    killed_at: float | None = None  # None after the first poll since the kill
    provider_faults: int = 0
    overtaken_answers: int = 0  # provider answers that a newer one was to overtake

    def record_status(self, job: str, status: str, *, last: bool) -> None:
        """Record a job's new status."""
        self.status_times[job][status] = time.time()
        if last:
            self.ended.add(job)

    def record_kill(self, at: float) -> None:
        """Record a kill of the bot."""
        self.kills.append(at)
        self.killed_at = at

    def record_poll(self, at: float) -> None:
        """Record a poll; the first one after a kill gives the recovery time."""
        if self.killed_at is not None and at - self.killed_at > DYING_SECONDS:
            self.first_poll_seconds.append(at - self.killed_at)
            self.killed_at = None

    def statuses(self, job: str) -> list[str]:
        """Return the statuses of a job, in order."""
        return list(self.status_times.get(job, ()))

    @property
    def changes(self) -> int:
        """The number of job changes; a job's first status is no change."""
        return sum(len(statuses) - 1 for statuses in self.status_times.values())

    def was_down(self, began_at: float, ended_at: float) -> bool:
        """Return whether an outage overlaps this period."""
        return any(a.began_at < ended_at and began_at < a.ended_at for a in self.outages)
