"""Status: queue depths and ages, as text and JSON; `slack/metrics.py` exports them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.sdk import formatting
from bot.store import WatchState
from bot.store.metrics import QueueDepth

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.store import Transaction

# Limits of the oldest item's age; above one of them, `jobthread status` exits with code 1.
MAX_REQUEST_AGE_SECONDS = 120.0
MAX_MESSAGE_AGE_SECONDS = 300.0
MAX_OVERDUE_SECONDS = 120.0
_NOTHING = QueueDepth(0, None)


@dataclass(frozen=True, kw_only=True)
class StoredStatus:
    """Queue depths and ages, as read from the store."""

    at: datetime
    requests: QueueDepth  # not answered yet
    messages: QueueDepth  # not confirmed as posted
    dead_letters: QueueDepth  # messages that Slack rejected for good
    overdue: QueueDepth  # jobs past their poll time
    watches: Mapping[WatchState, int]
    deferred: QueueDepth = _NOTHING  # notifications, such as during quiet hours
    deferred_until: datetime | None = None  # when the first is delivered

    def age(self, waiting: QueueDepth) -> float:
        """Return the age of the oldest item in seconds; 0.0 if there is none."""
        return max(0.0, (self.at - waiting.oldest_at).total_seconds()) if waiting.oldest_at else 0.0


@dataclass(frozen=True, kw_only=True)
class LiveStatus:
    """State of the running bot that is not in the store."""

    connected: bool  # whether Slack can reach the bot
    last_event_seconds: float | None = None  # since Slack's last Socket Mode message
    rate_limited: int = 0  # 429 responses from Slack since the start
    # connection → seconds until its circuit breaker allows a poll
    open_circuits: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class StatusLine:
    """One line of the status, and whether it is within its limit."""

    name: str
    ok: bool
    sentence: str


async def read_status(tx: Transaction, now: datetime) -> StoredStatus:
    """Read the stored status."""
    return StoredStatus(
        at=now,
        requests=await tx.metrics.requests(),
        messages=await tx.metrics.messages(),
        dead_letters=await tx.metrics.dead_letters(),
        overdue=await tx.metrics.overdue_jobs(now),
        watches=await tx.watches.count(),
        deferred=await tx.metrics.deferred(),
        deferred_until=await tx.decisions.next_due(),
    )


def stored_lines(stored: StoredStatus) -> list[StatusLine]:
    """Return the lines of the stored status."""
    dead = stored.dead_letters.count
    watches = ", ".join(f"{stored.watches[state]} {state}" for state in WatchState)
    return [
        _queue_line(
            stored, "requests", stored.requests, "are not answered", MAX_REQUEST_AGE_SECONDS
        ),
        _queue_line(
            stored, "messages", stored.messages, "wait to be posted", MAX_MESSAGE_AGE_SECONDS
        ),
        _queue_line(stored, "jobs", stored.overdue, "should have been polled", MAX_OVERDUE_SECONDS),
        StatusLine("watches", ok=True, sentence=f"{watches}; {dead} dead letters."),
        StatusLine("deferred", _deferred_on_time(stored), _deferred_text(stored)),
    ]


def live_lines(live: LiveStatus) -> list[StatusLine]:
    """Return the lines of the running bot's status."""
    silence = live.last_event_seconds
    ago = (
        f" Its last message came {formatting.duration(silence)} ago." if silence is not None else ""
    )
    reached = "Slack can reach the bot." if live.connected else "Slack cannot reach the bot."
    open_circuits = [
        f"{name}: circuit open for {formatting.duration(s)}"
        for name, s in live.open_circuits.items()
    ]
    return [
        StatusLine(
            "slack", live.connected, f"{reached}{ago} {live.rate_limited} responses were 429."
        ),
        StatusLine("connections", ok=True, sentence=", ".join(open_circuits) or "No open circuit."),
    ]


def _deferred_text(stored: StoredStatus) -> str:
    if not stored.deferred.count or stored.deferred_until is None:
        return "None is deferred."
    deferred = formatting.plural(stored.deferred.count, "notification", "notifications")
    return f"{deferred} deferred, the first until {formatting.utc_time(stored.deferred_until)}."


def _deferred_on_time(stored: StoredStatus) -> bool:
    """Return whether no deferred notification is overdue by more than the limit."""
    late = (stored.at - stored.deferred_until).total_seconds() if stored.deferred_until else 0.0
    return late <= MAX_MESSAGE_AGE_SECONDS


def _queue_line(
    stored: StoredStatus, what: str, waiting: QueueDepth, how: str, limit: float
) -> StatusLine:
    if not waiting.count:
        return StatusLine(what, ok=True, sentence="None waits.")
    age = stored.age(waiting)
    sentence = f"{waiting.count} {how}, the first for {formatting.duration(age)}."
    return StatusLine(what, age <= limit, sentence)


def as_json(stored: StoredStatus, live: LiveStatus) -> dict[str, Any]:
    """Return the status as JSON."""
    until = stored.deferred_until
    return {
        "requests": _queue_json(stored, stored.requests),
        "messages": _queue_json(stored, stored.messages),
        "dead_letters": _queue_json(stored, stored.dead_letters),
        "deferred": {
            **_queue_json(stored, stored.deferred),
            "until": until.isoformat() if until else None,
        },
        "overdue_jobs": _queue_json(stored, stored.overdue),
        "watches": {state.value: count for state, count in stored.watches.items()},
        "slack": {
            "connected": live.connected,
            "last_event_seconds": live.last_event_seconds,
            "rate_limited": live.rate_limited,
        },
        "open_circuits": dict(live.open_circuits),
    }


def _queue_json(stored: StoredStatus, waiting: QueueDepth) -> dict[str, float]:
    return {"count": waiting.count, "oldest_age_seconds": stored.age(waiting)}


def parse_live(answer: Mapping[str, Any]) -> LiveStatus:
    """Parse the running bot's part of the status JSON."""
    slack = answer["slack"]
    return LiveStatus(
        connected=slack["connected"],
        last_event_seconds=slack["last_event_seconds"],
        rate_limited=slack["rate_limited"],
        open_circuits=answer["open_circuits"],
    )
