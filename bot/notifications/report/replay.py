"""Replays the past decisions of a channel under another policy, in their order. No I/O."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.notifications.decision import Context, Event, evaluate
from bot.notifications.policy import HOUR
from bot.store import DeliveryAction, EventKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.notifications.decision import Decision
    from bot.notifications.policy import NotificationPolicy
    from bot.store import DecisionRecord, Watch

SeriesKey = tuple[str, str]  # the connection and the name of the job

BOARD_WINDOW = timedelta(minutes=1)  # requests of one user in one place within it share a board

_END_KINDS = (EventKind.OUTCOME, EventKind.RUN)
_EVENTS = {(h, bad): Event(kind=h, failed=bad) for h in EventKind for bad in (False, True)}


@dataclass(frozen=True)
class DecisionHistory:
    """The history of a channel that a replay needs."""

    decisions: Sequence[DecisionRecord] = ()  # by time, oldest first
    previous_outcomes: Mapping[SeriesKey, bool] = field(
        default_factory=dict
    )  # whether the last job before failed
    reactable: frozenset[str] = frozenset()  # ids of the watches that a message requested
    watches: Sequence[Watch] = ()  # oldest first


@dataclass
class _ReplayState:
    """What the replay has posted and seen so far."""

    outcomes: dict[SeriesKey, bool]  # whether the last job failed
    posts: deque[datetime] = field(default_factory=deque)  # of the last hour, oldest first

    def recent_posts(self, now: datetime) -> int:
        while self.posts and self.posts[0] <= now - HOUR:
            self.posts.popleft()
        return len(self.posts)

    def record(self, record: DecisionRecord, action: DeliveryAction) -> None:
        if action is DeliveryAction.POST:
            self.posts.append(record.decided_at)
        if record.event_kind in _END_KINDS:
            self.outcomes[series_key(record)] = record.failed


def series_key(record: DecisionRecord) -> SeriesKey:
    """Return the key of the series that a job belongs to."""
    return record.ref.connection, record.name


def replay(policy: NotificationPolicy, history: DecisionHistory) -> list[Decision]:
    """Return what a policy would have decided about each event."""
    state = _ReplayState(dict(history.previous_outcomes))
    decisions: list[Decision] = []
    for record in history.decisions:
        event = _EVENTS[record.event_kind, record.failed]
        decision = evaluate(policy, event, _context(record, history, state))
        state.record(record, decision.action)
        decisions.append(decision)
    return decisions


def _context(record: DecisionRecord, history: DecisionHistory, state: _ReplayState) -> Context:
    """Return the context at the time of a decision; skips validation for speed."""
    return Context.model_construct(
        now=record.decided_at,
        recent_posts=state.recent_posts(record.decided_at),
        previously_failed=state.outcomes.get(series_key(record), False),
        can_react=record.watch_id in history.reactable,
        stopped=False,
    )


def count_cards(policy: NotificationPolicy, history: DecisionHistory) -> int:
    """Return how many cards or boards the requested jobs would have had."""
    watches = [watch for watch in history.watches if not _has_old_card(watch)]
    if not policy.board:
        return len(watches)
    last: dict[tuple[str, str | None], datetime] = {}
    boards = 0
    for watch in watches:
        requester = (watch.asker, watch.thread_ts)
        before = last.get(requester)
        boards += before is None or watch.requested_at - before > BOARD_WINDOW
        last[requester] = watch.requested_at
    return boards


def _has_old_card(watch: Watch) -> bool:
    """Whether a job is followed from a card that existed before."""
    posted_at = float(watch.card_ts) if watch.card_ts and watch.board_id is None else None
    return posted_at is not None and posted_at < (watch.requested_at - BOARD_WINDOW).timestamp()


def count_actions(decisions: Sequence[Decision]) -> Counter[DeliveryAction]:
    """Return the number of decisions of each action."""
    return Counter(decision.action for decision in decisions)
