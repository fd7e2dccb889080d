"""A channel's last seven days in figures: what was told there, and what was not. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.noise.decision import Action

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from bot.noise.policy import NoisePolicy
    from bot.store import Decided

DAYS = 7
MOST_NAMES = 5


@dataclass(frozen=True)
class Tally:
    """What became of the news that have something in common."""

    told: int = 0
    failures: int = 0  # of those told
    card: int = 0  # left to the card
    waiting: int = 0  # held, or in a digest
    other: int = 0  # by a reaction, or dropped

    @property
    def untold(self) -> int:
        """How many were no follow-up of their own."""
        return self.card + self.waiting + self.other


@dataclass(frozen=True)
class Week:
    """The figures of one channel; days are those of `zone`."""

    begins: datetime  # aware
    zone: ZoneInfo
    decided: Sequence[Decided]  # since then

    @property
    def whole(self) -> Tally:
        """What became of everything."""
        return tally(self.decided)

    @property
    def days(self) -> list[tuple[date, int]]:
        """Each day with its posts, the oldest first, those without any too."""
        counted = Counter(one.at.astimezone(self.zone).date() for one in self._told)
        first = self.begins.astimezone(self.zone).date()
        days = [first + timedelta(days) for days in range(DAYS)]
        return [(day, counted[day]) for day in days]

    @property
    def busiest(self) -> tuple[datetime, int] | None:
        """The hour with the most posts, and how many; the first of several."""
        hours = Counter(_hour(one.at.astimezone(self.zone)) for one in self._told)
        return max(hours.items(), key=lambda each: each[1]) if hours else None

    @property
    def rules(self) -> list[tuple[str, Tally]]:
        """What each field of the policy decided, the one that decided most first."""
        counted = Counter(one.rule for one in self.decided)
        return [(rule, self._tally("rule", rule)) for rule, _ in counted.most_common()]

    @property
    def names(self) -> list[tuple[str, Tally]]:
        """The names of the jobs that were told most of, with what became of their news."""
        counted = Counter(one.name for one in self._told)
        counted.update(dict.fromkeys((one.name for one in self.decided), 0))
        top = [name for name, _ in counted.most_common(MOST_NAMES)]
        return [(name, self._tally("name", name)) for name in top]

    def _tally(self, field: str, word: str) -> Tally:
        return tally([one for one in self.decided if getattr(one, field) == word])

    @property
    def _told(self) -> list[Decided]:
        return [one for one in self.decided if one.action is Action.POST]


def begin(policy: NoisePolicy, now: datetime) -> tuple[datetime, ZoneInfo]:
    """Return the midnight with which the last seven days begin, and whose midnight it is."""
    zone = ZoneInfo(policy.quiet_hours.zone if policy.quiet_hours else "UTC")
    first = now.astimezone(zone).date() - timedelta(DAYS - 1)
    return datetime.combine(first, time.min, zone), zone


def tally(decided: Sequence[Decided]) -> Tally:
    """Count what became of these."""
    actions = Counter(one.action for one in decided)
    return Tally(
        told=actions[Action.POST],
        failures=sum(one.bad and one.action is Action.POST for one in decided),
        card=actions[Action.UPDATE],
        waiting=actions[Action.HOLD] + actions[Action.DIGEST],
        other=actions[Action.REACT] + actions[Action.DROP],
    )


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
