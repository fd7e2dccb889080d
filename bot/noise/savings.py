"""What other settings would have spared a channel, by a replay with one field changed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from itertools import groupby
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bot.noise.decision import Action
from bot.noise.policy import Broadcast, FollowUps, NoisePolicy, QuietHours, Tasks
from bot.noise.replay import cards, count, replay

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.noise.decision import Decision
    from bot.noise.replay import Past

MOST = 3  # that are offered
MANY = 0.25  # of the posts: so many at night make quiet hours worth an offer
_TOLD = (Action.POST, Action.HOLD, Action.DIGEST)  # sooner or later
_LATER = (Action.HOLD, Action.DIGEST)
_DUSK, _DAWN = time(22), time(7)


@dataclass(frozen=True)
class Change:
    """One field of the policy, changed."""

    field: str
    typed: str  # the new value as one types it after `set`
    label: str
    value: Any

    @property
    def command(self) -> str:
        """What one types to make the change."""
        return f"set {self.field} {self.typed}"


@dataclass(frozen=True)
class Saving:
    """What a change would have spared."""

    change: Change
    spared: int  # posts under the present policy less posts under the changed one
    unshown: int = 0  # of the posts that stay: shown in their threads only
    cards: int = 0  # cards less, where several jobs share a board
    together: int = 0  # of the posts: told later, in a digest
    hidden: int = 0  # failures that would be told nowhere but on the card, or by a reaction
    late: int = 0  # failures that would be told later, in a digest


_CHANGES = (  # of one field, the gentlest first
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


def best(policy: NoisePolicy, past: Past) -> list[Saving]:
    """Return the changes that would have spared most, one for each field; none that spares none."""
    now = replay(policy, past)
    found: list[Saving] = []
    for _, changes in groupby(_changes(policy, past, now), key=lambda change: change.field):
        offers = [saving(policy, past, change, now) for change in changes]
        found.append(max(offers, key=lambda offer: (_weight(offer), -offer.hidden)))
    found.sort(key=lambda offer: (-_weight(offer), offer.hidden))
    return [offer for offer in found if _spares(offer)][:MOST]


def saving(
    policy: NoisePolicy, past: Past, change: Change, now: Sequence[Decision] | None = None
) -> Saving:
    """Return what a change would have spared; `now` is the past under the present policy."""
    before = replay(policy, past) if now is None else now
    changed = policy.but(**{change.field: change.value})
    after = replay(changed, past)
    pairs = list(zip(before, after, strict=True))
    failures = [pair for pair, decided in zip(pairs, past.decided, strict=True) if decided.bad]
    return Saving(
        change=change,
        spared=count(before)[Action.POST] - count(after)[Action.POST],
        unshown=sum(_loud(old) - _loud(new) for old, new in pairs if _posted(old, new)),
        cards=cards(policy, past) - cards(changed, past),
        together=_later(pairs),
        hidden=sum(old.action in _TOLD and new.action not in _TOLD for old, new in failures),
        late=_later(failures),
    )


def _later(pairs: Sequence[tuple[Decision, Decision]]) -> int:
    return sum(old.action is Action.POST and new.action in _LATER for old, new in pairs)


def _weight(offer: Saving) -> int:
    """Return how much less the channel would have seen."""
    return offer.spared + offer.unshown + offer.cards


def _spares(offer: Saving) -> bool:
    return min(offer.spared, offer.unshown) >= 0 and _weight(offer) > 0


def _posted(*decisions: Decision) -> bool:
    return all(decision.action is Action.POST for decision in decisions)


def _loud(decision: Decision) -> int:
    return int(decision.loud)


def _changes(policy: NoisePolicy, past: Past, now: Sequence[Decision]) -> list[Change]:
    known = [c for c in _CHANGES if getattr(policy, c.field) != c.value]
    return [*known, *_night(policy, past, now)]


def _night(policy: NoisePolicy, past: Past, now: Sequence[Decision]) -> list[Change]:
    """Return quiet hours at night, where a good part of the posts comes at night."""
    if policy.quiet_hours is not None:
        return []
    posts = [d.at for d, made in zip(past.decided, now, strict=True) if made.action is Action.POST]
    if not posts or sum(map(_at_night, posts)) < MANY * len(posts):
        return []
    hours = QuietHours(begins=_DUSK, ends=_DAWN)
    typed = f"{_DUSK:%H:%M}-{_DAWN:%H:%M} {hours.zone}"
    return [Change("quiet_hours", typed, "Quiet from 22:00 to 07:00 UTC", hours)]


def _at_night(moment: datetime) -> bool:
    hour = moment.astimezone(ZoneInfo("UTC")).time()
    return hour >= _DUSK or hour < _DAWN
