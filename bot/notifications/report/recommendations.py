"""Ranks settings by the messages they would have avoided, by a replay of past decisions. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from itertools import groupby
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bot.notifications.policy import Broadcast, FollowUps, NotificationPolicy, QuietHours, Tasks
from bot.notifications.report.replay import count_actions, count_cards, replay
from bot.store import DeliveryAction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.notifications.decision import Decision
    from bot.notifications.report.replay import DecisionHistory

MAX_RECOMMENDATIONS = 3
MIN_NIGHT_SHARE = 0.25  # share of posts at night from which quiet hours are recommended
_POSTED_EVENTUALLY = (
    DeliveryAction.POST,
    DeliveryAction.DEFER,
    DeliveryAction.DIGEST,
)  # posted now or later
_DEFERRED = (DeliveryAction.DEFER, DeliveryAction.DIGEST)
_NIGHT_BEGINS, _NIGHT_ENDS = time(22), time(7)


@dataclass(frozen=True)
class SettingChange:
    """A new value for one field of the policy."""

    field: str
    typed_value: str  # the new value as typed after `set`
    label: str
    value: Any

    @property
    def command(self) -> str:
        """The command that makes the change."""
        return f"set {self.field} {self.typed_value}"


@dataclass(frozen=True)
class Recommendation:
    """What a setting change would have avoided."""

    change: SettingChange
    avoided: int  # posts under the current policy minus posts under the changed one
    fewer_broadcasts: int = 0  # of the remaining posts: no longer shown in the channel
    fewer_cards: int = 0  # fewer cards, where several jobs share a board
    deferred: int = 0  # posts that would be deferred to a digest
    hidden_failures: int = 0  # failures that only the card or a reaction would show
    deferred_failures: int = 0  # failures that would be deferred to a digest


_CHANGES = (  # within one field, the smallest effect first
    SettingChange("follow_ups", "outcomes", "Only outcomes", FollowUps.OUTCOMES),
    SettingChange(
        "follow_ups", "turns", "Only the first failure and the recovery", FollowUps.STATE_CHANGES
    ),
    SettingChange("follow_ups", "failures", "Only failures", FollowUps.FAILURES),
    SettingChange("tasks", "failures", "Of the tasks, only failures", Tasks.FAILURES),
    SettingChange("tasks", "none", "No single tasks", Tasks.NONE),
    SettingChange("broadcast", "failure", "Only failures in the channel", Broadcast.FAILURE),
    SettingChange("broadcast", "never", "Nothing outside the threads", Broadcast.NEVER),
    SettingChange("posts_per_hour", "20", "At most 20 follow-ups an hour", 20),
    SettingChange("posts_per_hour", "10", "At most 10 follow-ups an hour", 10),
    SettingChange("board", "on", "One message for jobs asked for together", value=True),
    SettingChange("reaction", "on", "A reaction instead of follow-ups", value=True),
)


def recommend(policy: NotificationPolicy, history: DecisionHistory) -> list[Recommendation]:
    """Return the changes that would have avoided most messages, at most one for each field."""
    now = replay(policy, history)
    best_of_fields: list[Recommendation] = []
    for _, changes in groupby(_candidates(policy, history, now), key=lambda change: change.field):
        options = [evaluate_change(policy, history, change, now) for change in changes]
        best_of_fields.append(
            max(options, key=lambda option: (_total_avoided(option), -option.hidden_failures))
        )
    best_of_fields.sort(key=lambda option: (-_total_avoided(option), option.hidden_failures))
    return [option for option in best_of_fields if _avoids_messages(option)][:MAX_RECOMMENDATIONS]


def evaluate_change(
    policy: NotificationPolicy,
    history: DecisionHistory,
    change: SettingChange,
    now: Sequence[Decision] | None = None,
) -> Recommendation:
    """Return what a change would have avoided; `now`: the replay under the current policy."""
    before = replay(policy, history) if now is None else now
    changed = policy.replace(**{change.field: change.value})
    after = replay(changed, history)
    pairs = list(zip(before, after, strict=True))
    failures = [
        pair for pair, record in zip(pairs, history.decisions, strict=True) if record.failed
    ]
    return Recommendation(
        change=change,
        avoided=count_actions(before)[DeliveryAction.POST]
        - count_actions(after)[DeliveryAction.POST],
        fewer_broadcasts=sum(
            _is_broadcast(old) - _is_broadcast(new) for old, new in pairs if _posted(old, new)
        ),
        fewer_cards=count_cards(policy, history) - count_cards(changed, history),
        deferred=_count_deferred(pairs),
        hidden_failures=sum(
            old.action in _POSTED_EVENTUALLY and new.action not in _POSTED_EVENTUALLY
            for old, new in failures
        ),
        deferred_failures=_count_deferred(failures),
    )


def _count_deferred(pairs: Sequence[tuple[Decision, Decision]]) -> int:
    return sum(old.action is DeliveryAction.POST and new.action in _DEFERRED for old, new in pairs)


def _total_avoided(option: Recommendation) -> int:
    """Return how many fewer messages the channel would have seen."""
    return option.avoided + option.fewer_broadcasts + option.fewer_cards


def _avoids_messages(option: Recommendation) -> bool:
    return min(option.avoided, option.fewer_broadcasts) >= 0 and _total_avoided(option) > 0


def _posted(*decisions: Decision) -> bool:
    return all(decision.action is DeliveryAction.POST for decision in decisions)


def _is_broadcast(decision: Decision) -> int:
    return int(decision.broadcast)


def _candidates(
    policy: NotificationPolicy, history: DecisionHistory, now: Sequence[Decision]
) -> list[SettingChange]:
    candidates = [c for c in _CHANGES if getattr(policy, c.field) != c.value]
    return [*candidates, *_night_hours(policy, history, now)]


def _night_hours(
    policy: NotificationPolicy, history: DecisionHistory, now: Sequence[Decision]
) -> list[SettingChange]:
    """Return quiet hours at night, if many posts come at night."""
    if policy.quiet_hours is not None:
        return []
    posts = [
        d.decided_at
        for d, decision in zip(history.decisions, now, strict=True)
        if decision.action is DeliveryAction.POST
    ]
    if not posts or sum(map(_at_night, posts)) < MIN_NIGHT_SHARE * len(posts):
        return []
    hours = QuietHours(begins=_NIGHT_BEGINS, ends=_NIGHT_ENDS)
    typed = f"{_NIGHT_BEGINS:%H:%M}-{_NIGHT_ENDS:%H:%M} {hours.zone}"
    return [SettingChange("quiet_hours", typed, "Quiet from 22:00 to 07:00 UTC", hours)]


def _at_night(moment: datetime) -> bool:
    hour = moment.astimezone(ZoneInfo("UTC")).time()
    return hour >= _NIGHT_BEGINS or hour < _NIGHT_ENDS
