"""Sample decision histories of a channel, as the store returns them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from bot.notifications.report.replay import DecisionHistory, SeriesKey
from bot.sdk.models import JobRef
from bot.store import DecisionRecord, DeliveryAction, EventKind, Watch

if TYPE_CHECKING:
    from collections.abc import Mapping

MONDAY = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
_KEYS = count()


def decision_record(
    event_kind: EventKind = EventKind.OUTCOME, minutes: float = 0, **fields: Any
) -> DecisionRecord:
    """Return a decision to post, this many minutes after Monday noon."""
    defaults = {
        "workspace": "T1",
        "idempotency_key": f"watch1:{next(_KEYS)}",
        "channel": "C1",
        "watch_id": "watch1",
        "ref": JobRef(connection="deploys", id="JOB1"),
        "name": "deploy-api",
        "event_kind": event_kind,
        "failed": False,
        "previously_failed": False,
        "action": DeliveryAction.POST,
        "rule": "follow_ups",
        "reason": "This channel hears every change.",
        "text": "deploy-api succeeded after 3 m 12 s.",
        "decided_at": MONDAY + timedelta(minutes=minutes),
    }
    return DecisionRecord(**(defaults | fields))


def history(
    *events: tuple[EventKind, bool],
    minutes: float = 1,
    outcomes: Mapping[SeriesKey, bool] | None = None,
    reactable: frozenset[str] = frozenset(),
) -> DecisionHistory:
    """Return a history of these events, this many minutes apart."""
    records = [
        decision_record(event_kind, n * minutes, failed=bad)
        for n, (event_kind, bad) in enumerate(events)
    ]
    return DecisionHistory(records, previous_outcomes=outcomes or {}, reactable=reactable)


def requested_watch(seconds: float, **fields: Any) -> Watch:
    """Return a watch that Ada requested, this many seconds after Monday noon."""
    at = MONDAY + timedelta(seconds=seconds)
    defaults = {
        "id": f"watch{next(_KEYS)}",
        "workspace": "T1",
        "channel": "C1",
        "ref": JobRef(connection="deploys", id="JOB1"),
        "asker": "U0ADA",
        "requested_at": at,
        "card_ts": f"{at.timestamp():.6f}",
    }
    return Watch(**(defaults | fields))
