"""Status: queue depths and ages, as text, JSON and Prometheus metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.sdk import formatting
from bot.store import WatchState
from bot.store.metrics import QueueDepth

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
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
    questions: QueueDepth  # not answered yet
    messages: QueueDepth  # not confirmed as posted
    parked: QueueDepth  # dead letters: messages that Slack rejected for good
    overdue: QueueDepth  # jobs past their poll time
    watches: Mapping[WatchState, int]
    held: QueueDepth = _NOTHING  # deferred notifications, such as during quiet hours
    held_until: datetime | None = None  # when the first is delivered

    def age(self, waiting: QueueDepth) -> float:
        """Return the age of the oldest item in seconds; 0.0 if there is none."""
        return max(0.0, (self.at - waiting.oldest_at).total_seconds()) if waiting.oldest_at else 0.0


@dataclass(frozen=True, kw_only=True)
class LiveStatus:
    """State of the running bot that is not in the store."""

    connected: bool  # whether Slack can reach the bot
    last_event_seconds: float | None = None  # since Slack's last Socket Mode message
    limited: int = 0  # 429 responses from Slack since the start
    resting: Mapping[str, float] = field(
        default_factory=dict
    )  # connection → seconds until its circuit closes


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
        questions=await tx.metrics.requests(),
        messages=await tx.metrics.messages(),
        parked=await tx.metrics.dead_letters(),
        overdue=await tx.metrics.overdue_jobs(now),
        watches=await tx.watches.count(),
        held=await tx.metrics.deferred(),
        held_until=await tx.decisions.next_due(),
    )


def stored_lines(backlog: StoredStatus) -> list[StatusLine]:
    """Return the lines of the stored status."""
    watches = ", ".join(f"{backlog.watches[state]} {state}" for state in WatchState)
    return [
        _queue_line(
            backlog, "questions", backlog.questions, "are not answered", MAX_REQUEST_AGE_SECONDS
        ),
        _queue_line(
            backlog, "messages", backlog.messages, "wait to be posted", MAX_MESSAGE_AGE_SECONDS
        ),
        _queue_line(
            backlog, "jobs", backlog.overdue, "should have been polled", MAX_OVERDUE_SECONDS
        ),
        StatusLine("watches", ok=True, sentence=f"{watches}; {backlog.parked.count} dead letters."),
        StatusLine("held", _deferred_on_time(backlog), _deferred_text(backlog)),
    ]


def live_lines(live: LiveStatus) -> list[StatusLine]:
    """Return the lines of the running bot's status."""
    silence = live.last_event_seconds
    ago = (
        f" Its last message came {formatting.duration(silence)} ago." if silence is not None else ""
    )
    reached = "Slack can reach the bot." if live.connected else "Slack cannot reach the bot."
    open_circuits = [
        f"{name}: circuit open for {formatting.duration(s)}" for name, s in live.resting.items()
    ]
    return [
        StatusLine("slack", live.connected, f"{reached}{ago} {live.limited} responses were 429."),
        StatusLine("connections", ok=True, sentence=", ".join(open_circuits) or "No open circuit."),
    ]


def _deferred_text(backlog: StoredStatus) -> str:
    if not backlog.held.count or backlog.held_until is None:
        return "None is deferred."
    deferred = formatting.plural(backlog.held.count, "notification", "notifications")
    return f"{deferred} deferred, the first until {formatting.utc_time(backlog.held_until)}."


def _deferred_on_time(backlog: StoredStatus) -> bool:
    """Return whether no deferred notification is overdue by more than the limit."""
    late = (backlog.at - backlog.held_until).total_seconds() if backlog.held_until else 0.0
    return late <= MAX_MESSAGE_AGE_SECONDS


def _queue_line(
    backlog: StoredStatus, what: str, waiting: QueueDepth, how: str, limit: float
) -> StatusLine:
    if not waiting.count:
        return StatusLine(what, ok=True, sentence="None waits.")
    age = backlog.age(waiting)
    sentence = f"{waiting.count} {how}, the first for {formatting.duration(age)}."
    return StatusLine(what, age <= limit, sentence)


def as_json(backlog: StoredStatus, live: LiveStatus) -> dict[str, Any]:
    """Return the status as JSON; ages in seconds."""
    return {
        "questions": {"open": backlog.questions.count, "oldest": backlog.age(backlog.questions)},
        "messages": {
            "unsent": backlog.messages.count,
            "oldest": backlog.age(backlog.messages),
            "parked": backlog.parked.count,
        },
        "held": {
            "count": backlog.held.count,
            "oldest": backlog.age(backlog.held),
            "until": backlog.held_until.isoformat() if backlog.held_until else None,
        },
        "jobs": {"overdue": backlog.overdue.count, "longest": backlog.age(backlog.overdue)},
        "watches": {state.value: count for state, count in backlog.watches.items()},
        "slack": {
            "connected": live.connected,
            "last_event": live.last_event_seconds,
            "limited": live.limited,
        },
        "resting": dict(live.resting),
    }


def parse_live(answer: Mapping[str, Any]) -> LiveStatus:
    """Parse the running bot's part of the status JSON."""
    slack = answer["slack"]
    return LiveStatus(
        connected=slack["connected"],
        last_event_seconds=slack["last_event"],
        limited=slack["limited"],
        resting=answer["resting"],
    )


def prometheus_text(backlog: StoredStatus, live: LiveStatus) -> str:
    """Return the status in the Prometheus text format.

    https://prometheus.io/docs/instrumenting/exposition_formats
    Ages in seconds. Connection names need no escaping: settings.NAME restricts their characters.
    """
    kinds: dict[str, str] = {}
    samples: list[str] = []
    for name, labels, value in _samples(backlog, live):
        kinds.setdefault(name, "counter" if name.endswith("_total") else "gauge")
        samples.append(f"jobthread_{name}{labels} {value:g}")
    types = [f"# TYPE jobthread_{name} {kind}" for name, kind in kinds.items()]
    return "\n".join([*types, *samples, ""])


def _samples(backlog: StoredStatus, live: LiveStatus) -> Iterator[tuple[str, str, float]]:
    for name, waiting in (
        ("questions_open", backlog.questions),
        ("messages_unsent", backlog.messages),
        ("messages_parked", backlog.parked),
        ("news_held", backlog.held),
        ("jobs_overdue", backlog.overdue),
    ):
        yield name, "", waiting.count
        yield f"{name}_oldest_seconds", "", backlog.age(waiting)
    for state, count in backlog.watches.items():
        yield "watches", f'{{state="{state}"}}', count
    yield "slack_connected", "", live.connected
    yield "slack_limited_total", "", live.limited
    if live.last_event_seconds is not None:
        yield "slack_last_event_seconds", "", live.last_event_seconds
    for connection, seconds in live.resting.items():
        yield "connection_resting_seconds", f'{{connection="{connection}"}}', seconds
