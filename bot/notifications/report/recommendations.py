"""Ranks settings by the messages they would have avoided, by a replay of past decisions. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from itertools import groupby
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bot.notifications.decision import Action
from bot.notifications.policy import Broadcast, FollowUps, NoisePolicy, QuietHours, Tasks
from bot.notifications.report.replay import cards, count, replay

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.notifications.decision import Decision
    from bot.notifications.report.replay import Past

MAX_RECOMMENDATIONS = 3
MIN_NIGHT_SHARE = 0.25  # share of posts at night from which quiet hours are recommended
_POSTED_EVENTUALLY = (Action.POST, Action.HOLD, Action.DIGEST)  # posted now or later
_DEFERRED = (Action.HOLD, Action.DIGEST)
_NIGHT_BEGINS, _NIGHT_ENDS = time(22), time(7)


@dataclass(frozen=True)
class Change:
    """A new value for one field of the policy."""

    field: str
    typed: str  # the new value as typed after `set`
    label: str
    value: Any

    @property
    def command(self) -> str:
        """The command that makes the change."""
        return f"set {self.field} {self.typed}"


@dataclass(frozen=True)
class Saving:
    """What a setting change would have avoided."""

    change: Change
    spared: int  # posts under the current policy minus posts under the changed one
    unshown: int = 0  # of the remaining posts: no longer shown in the channel
    cards: int = 0  # fewer cards, where several jobs share a board
    together: int = 0  # posts that would be deferred to a digest
    hidden: int = 0  # failures that only the card or a reaction would show
    late: int = 0  # failures that would be deferred to a digest


_CHANGES = (  # within one field, the smallest effect first
    Change("follow_ups", "outcomes", "Only outcomes", FollowUps.OUTCOMES),
    Change("follow_ups", "turns", "Only the first failure and the recovery", FollowUps.TURNS),
    Change("follow_ups", "failures", "Only failures", FollowUps.FAILURES),
    Change("tasks", "failures", "Of the tasks, only failures", Tasks.FAILURES),
    Change("tasks", "none", "No single tasks", Tasks.NONE),
    Change("broadcast", "failure", "Only failures in the channel", Broadcast.FAILURE),
    Change("broadcast", "never", "Nothing outside the threads", Broadcast.NEVER),
    Change("posts_per_hour", "20", "At most 20 follow-ups an hour", 20),
    Change("posts_per_hour", "10", "At most 10 follow-ups an hour", 10),
    Change("board", "on", "One message for jobs asked for together", value=True),
    Change("reaction", "on", "A reaction instead of follow-ups", value=True),
)


def best(policy: NoisePolicy, history: Past) -> list[Saving]:
    """Return the changes that would have avoided most messages, at most one for each field."""
    now = replay(policy, history)
    best_of_fields: list[Saving] = []
    for _, changes in groupby(_candidates(policy, history, now), key=lambda change: change.field):
        options = [saving(policy, history, change, now) for change in changes]
        best_of_fields.append(
            max(options, key=lambda option: (_total_avoided(option), -option.hidden))
        )
    best_of_fields.sort(key=lambda option: (-_total_avoided(option), option.hidden))
    return [option for option in best_of_fields if _avoids_messages(option)][:MAX_RECOMMENDATIONS]


def saving(
    policy: NoisePolicy, history: Past, change: Change, now: Sequence[Decision] | None = None
) -> Saving:
    """Return what a change would have avoided; `now`: the replay under the current policy."""
    before = replay(policy, history) if now is None else now
    changed = policy.but(**{change.field: change.value})
    after = replay(changed, history)
    pairs = list(zip(before, after, strict=True))
    failures = [pair for pair, record in zip(pairs, history.decided, strict=True) if record.bad]
    return Saving(
        change=change,
        spared=count(before)[Action.POST] - count(after)[Action.POST],
        unshown=sum(
            _is_broadcast(old) - _is_broadcast(new) for old, new in pairs if _posted(old, new)
        ),
        cards=cards(policy, history) - cards(changed, history),
        together=_count_deferred(pairs),
        hidden=sum(
            old.action in _POSTED_EVENTUALLY and new.action not in _POSTED_EVENTUALLY
            for old, new in failures
        ),
        late=_count_deferred(failures),
    )


def _count_deferred(pairs: Sequence[tuple[Decision, Decision]]) -> int:
    return sum(old.action is Action.POST and new.action in _DEFERRED for old, new in pairs)


def _total_avoided(option: Saving) -> int:
    """Return how many fewer messages the channel would have seen."""
    return option.spared + option.unshown + option.cards


def _avoids_messages(option: Saving) -> bool:
    return min(option.spared, option.unshown) >= 0 and _total_avoided(option) > 0


def _posted(*decisions: Decision) -> bool:
    return all(decision.action is Action.POST for decision in decisions)


def _is_broadcast(decision: Decision) -> int:
    return int(decision.loud)


def _candidates(policy: NoisePolicy, history: Past, now: Sequence[Decision]) -> list[Change]:
    candidates = [c for c in _CHANGES if getattr(policy, c.field) != c.value]
    return [*candidates, *_night_hours(policy, history, now)]


def _night_hours(policy: NoisePolicy, history: Past, now: Sequence[Decision]) -> list[Change]:
    """Return quiet hours at night, if many posts come at night."""
    if policy.quiet_hours is not None:
        return []
    posts = [
        d.at
        for d, decision in zip(history.decided, now, strict=True)
        if decision.action is Action.POST
    ]
    if not posts or sum(map(_at_night, posts)) < MIN_NIGHT_SHARE * len(posts):
        return []
    hours = QuietHours(begins=_NIGHT_BEGINS, ends=_NIGHT_ENDS)
    typed = f"{_NIGHT_BEGINS:%H:%M}-{_NIGHT_ENDS:%H:%M} {hours.zone}"
    return [Change("quiet_hours", typed, "Quiet from 22:00 to 07:00 UTC", hours)]


def _at_night(moment: datetime) -> bool:
    hour = moment.astimezone(ZoneInfo("UTC")).time()
    return hour >= _NIGHT_BEGINS or hour < _NIGHT_ENDS
