"""Status: queue depths and ages, as text, JSON and Prometheus metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.sdk import formatting
from bot.store import WatchState
from bot.store.metrics import Waiting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from bot.store import Transaction

# Limits of the oldest item's age; above one of them, `jobthread status` exits with code 1.
QUESTION_SECONDS = 120.0
MESSAGE_SECONDS = 300.0
OVERDUE_SECONDS = 120.0
_NOTHING = Waiting(0, None)


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """Queue depths and ages, as read from the store."""

    at: datetime
    questions: Waiting  # not answered yet
    messages: Waiting  # not confirmed as posted
    parked: Waiting  # dead letters: messages that Slack rejected for good
    overdue: Waiting  # jobs past their poll time
    watches: Mapping[WatchState, int]
    held: Waiting = _NOTHING  # deferred notifications, such as during quiet hours
    held_until: datetime | None = None  # when the first is delivered

    def age(self, waiting: Waiting) -> float:
        """Return the age of the oldest item in seconds; 0.0 if there is none."""
        return max(0.0, (self.at - waiting.since).total_seconds()) if waiting.since else 0.0


@dataclass(frozen=True, kw_only=True)
class Live:
    """State of the running bot that is not in the store."""

    connected: bool  # whether Slack can reach the bot
    last_event_seconds: float | None = None  # since Slack's last Socket Mode message
    limited: int = 0  # 429 responses from Slack since the start
    resting: Mapping[str, float] = field(
        default_factory=dict
    )  # connection → seconds until its circuit closes


@dataclass(frozen=True)
class Line:
    """One line of the status, and whether it is within its limit."""

    what: str
    well: bool
    sentence: str


async def read(tx: Transaction, now: datetime) -> Backlog:
    """Read the stored status."""
    return Backlog(
        at=now,
        questions=await tx.gauges.questions(),
        messages=await tx.gauges.messages(),
        parked=await tx.gauges.parked(),
        overdue=await tx.gauges.overdue(now),
        watches=await tx.watches.count(),
        held=await tx.gauges.held(),
        held_until=await tx.decisions.next_ripe(),
    )


def lines(backlog: Backlog) -> list[Line]:
    """Return the lines of the stored status."""
    watches = ", ".join(f"{backlog.watches[state]} {state}" for state in WatchState)
    return [
        _queue_line(backlog, "questions", backlog.questions, "are not answered", QUESTION_SECONDS),
        _queue_line(backlog, "messages", backlog.messages, "wait to be posted", MESSAGE_SECONDS),
        _queue_line(backlog, "jobs", backlog.overdue, "should have been polled", OVERDUE_SECONDS),
        Line("watches", well=True, sentence=f"{watches}; {backlog.parked.count} dead letters."),
        Line("held", _deferred_on_time(backlog), _deferred_text(backlog)),
    ]


def live_lines(live: Live) -> list[Line]:
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
        Line("slack", live.connected, f"{reached}{ago} {live.limited} responses were 429."),
        Line("connections", well=True, sentence=", ".join(open_circuits) or "No open circuit."),
    ]


def _deferred_text(backlog: Backlog) -> str:
    if not backlog.held.count or backlog.held_until is None:
        return "None is deferred."
    deferred = formatting.plural(backlog.held.count, "notification", "notifications")
    return f"{deferred} deferred, the first until {formatting.moment(backlog.held_until)}."


def _deferred_on_time(backlog: Backlog) -> bool:
    """Return whether no deferred notification is overdue by more than the limit."""
    late = (backlog.at - backlog.held_until).total_seconds() if backlog.held_until else 0.0
    return late <= MESSAGE_SECONDS


def _queue_line(backlog: Backlog, what: str, waiting: Waiting, how: str, limit: float) -> Line:
    if not waiting.count:
        return Line(what, well=True, sentence="None waits.")
    age = backlog.age(waiting)
    sentence = f"{waiting.count} {how}, the first for {formatting.duration(age)}."
    return Line(what, age <= limit, sentence)


def as_json(backlog: Backlog, live: Live) -> dict[str, Any]:
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


def live_of(answer: Mapping[str, Any]) -> Live:
    """Parse the running bot's part of the status JSON."""
    slack = answer["slack"]
    return Live(
        connected=slack["connected"],
        last_event_seconds=slack["last_event"],
        limited=slack["limited"],
        resting=answer["resting"],
    )


def exposition(backlog: Backlog, live: Live) -> str:
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


def _samples(backlog: Backlog, live: Live) -> Iterator[tuple[str, str, float]]:
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
