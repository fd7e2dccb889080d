"""Seven-day statistics of a channel: what was posted and what was not. No I/O."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.store import DeliveryAction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from bot.notifications.policy import NotificationPolicy
    from bot.store import DecisionRecord

DAYS = 7
MAX_NAMES = 5


@dataclass(frozen=True)
class Tally:
    """Counts of decisions by how the event was delivered."""

    posted: int = 0  # thread replies
    failures: int = 0  # of the posted
    card_only: int = 0  # shown on the card only
    deferred: int = 0  # deferred, or in a digest
    other: int = 0  # reactions and dropped events

    @property
    def not_posted(self) -> int:
        """The number of events without a thread reply of their own."""
        return self.card_only + self.deferred + self.other


@dataclass(frozen=True)
class WeeklyStatistics:
    """The statistics of one channel; days are those of `zone`."""

    starts_at: datetime  # aware
    zone: ZoneInfo
    decisions: Sequence[DecisionRecord]  # since `begins`

    @property
    def total(self) -> Tally:
        """The tally of all decisions."""
        return tally(self.decisions)

    @property
    def by_day(self) -> list[tuple[date, int]]:
        """The number of posts of each day, oldest first; days without posts are included."""
        counts = Counter(record.decided_at.astimezone(self.zone).date() for record in self._posted)
        first = self.starts_at.astimezone(self.zone).date()
        days = [first + timedelta(days) for days in range(DAYS)]
        return [(day, counts[day]) for day in days]

    @property
    def busiest_hour(self) -> tuple[datetime, int] | None:
        """The first hour with the most posts, and their number; None without posts."""
        hours = Counter(_hour(record.decided_at.astimezone(self.zone)) for record in self._posted)
        return max(hours.items(), key=lambda each: each[1]) if hours else None

    @property
    def by_rule(self) -> list[tuple[str, Tally]]:
        """The tally of each rule, most decisions first."""
        counts = Counter(record.rule for record in self.decisions)
        return [(rule, self._tally("rule", rule)) for rule, _ in counts.most_common()]

    @property
    def by_name(self) -> list[tuple[str, Tally]]:
        """The tally of each of the job names with the most posts."""
        counts = Counter(record.name for record in self._posted)
        counts.update(dict.fromkeys((record.name for record in self.decisions), 0))
        top = [name for name, _ in counts.most_common(MAX_NAMES)]
        return [(name, self._tally("name", name)) for name in top]

    def _tally(self, field: str, value: str) -> Tally:
        return tally([record for record in self.decisions if getattr(record, field) == value])

    @property
    def _posted(self) -> list[DecisionRecord]:
        return [record for record in self.decisions if record.action is DeliveryAction.POST]


def week_start(policy: NotificationPolicy, now: datetime) -> tuple[datetime, ZoneInfo]:
    """Return the midnight that starts the last seven days, and its time zone."""
    zone = ZoneInfo(policy.quiet_hours.zone if policy.quiet_hours else "UTC")
    first = now.astimezone(zone).date() - timedelta(DAYS - 1)
    return datetime.combine(first, time.min, zone), zone


def tally(decided: Sequence[DecisionRecord]) -> Tally:
    """Count decisions by how the event was delivered."""
    actions = Counter(record.action for record in decided)
    return Tally(
        posted=actions[DeliveryAction.POST],
        failures=sum(record.failed and record.action is DeliveryAction.POST for record in decided),
        card_only=actions[DeliveryAction.UPDATE],
        deferred=actions[DeliveryAction.DEFER] + actions[DeliveryAction.DIGEST],
        other=actions[DeliveryAction.REACT] + actions[DeliveryAction.DROP],
    )


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
