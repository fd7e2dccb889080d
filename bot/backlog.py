"""How far behind the bot is: what waits, since when, and how that reads. Pure but for `read`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot import words
from bot.store import WatchState
from bot.store.gauges import Waiting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from bot.store import Transaction

# Older than this, in seconds, something is wrong, and `jobthread status` ends with exit code 1.
QUESTION_SECONDS = 120.0
MESSAGE_SECONDS = 300.0
OVERDUE_SECONDS = 120.0
_NOTHING = Waiting(0, None)


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """What the store knows to be waiting."""

    at: datetime
    questions: Waiting  # not answered yet
    messages: Waiting  # not known to be posted yet
    parked: Waiting  # messages that Slack refused for good
    overdue: Waiting  # jobs that should have been looked at
    watches: Mapping[WatchState, int]
    held: Waiting = _NOTHING  # news that is told later, as after quiet hours
    held_until: datetime | None = None  # when the first of it is told

    def age(self, waiting: Waiting) -> float:
        """Return the seconds that the first of them has waited; 0.0: nothing waits."""
        return max(0.0, (self.at - waiting.since).total_seconds()) if waiting.since else 0.0


@dataclass(frozen=True, kw_only=True)
class Live:
    """What only the running bot knows of itself."""

    connected: bool  # whether Slack can reach it
    last_event_seconds: float | None = None  # since Slack's last word by Socket Mode
    limited: int = 0  # answers 429 from Slack since the start
    resting: Mapping[str, float] = field(default_factory=dict)  # connection → seconds to go


@dataclass(frozen=True)
class Line:
    """One thing to know, and whether it is as it should be."""

    what: str
    well: bool
    sentence: str


async def read(tx: Transaction, now: datetime) -> Backlog:
    """Read what waits."""
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
    """Return what the store knows, a line each."""
    living = ", ".join(f"{backlog.watches[state]} {state}" for state in WatchState)
    return [
        _waits(backlog, "questions", backlog.questions, "are not answered", QUESTION_SECONDS),
        _waits(backlog, "messages", backlog.messages, "wait to be posted", MESSAGE_SECONDS),
        _waits(backlog, "jobs", backlog.overdue, "should have been looked at", OVERDUE_SECONDS),
        Line("watches", well=True, sentence=f"{living}; {backlog.parked.count} messages parked."),
        Line("held", _in_time(backlog), _held(backlog)),
    ]


def live_lines(live: Live) -> list[Line]:
    """Return what only the running bot knows, a line each."""
    silence = live.last_event_seconds
    ago = f" Its last word came {words.duration(silence)} ago." if silence is not None else ""
    reached = "Slack can reach the bot." if live.connected else "Slack cannot reach the bot."
    resting = [f"{name} rests for {words.duration(s)}" for name, s in live.resting.items()]
    return [
        Line("slack", live.connected, f"{reached}{ago} {live.limited} answers were 429."),
        Line("connections", well=True, sentence=", ".join(resting) or "None rests."),
    ]


def _held(backlog: Backlog) -> str:
    if not backlog.held.count or backlog.held_until is None:
        return "Nothing is held back."
    news = words.plural(backlog.held.count, "piece", "pieces")
    return f"{news} of news held back, the first until {words.moment(backlog.held_until)}."


def _in_time(backlog: Backlog) -> bool:
    """Whether nothing is held for much longer than it should be."""
    late = (backlog.at - backlog.held_until).total_seconds() if backlog.held_until else 0.0
    return late <= MESSAGE_SECONDS


def _waits(backlog: Backlog, what: str, waiting: Waiting, how: str, limit: float) -> Line:
    if not waiting.count:
        return Line(what, well=True, sentence="None waits.")
    age = backlog.age(waiting)
    sentence = f"{waiting.count} {how}, the first for {words.duration(age)}."
    return Line(what, age <= limit, sentence)


def as_json(backlog: Backlog, live: Live) -> dict[str, Any]:
    """Return everything as JSON; ages in seconds."""
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
    """Return what the running bot said of itself as JSON."""
    slack = answer["slack"]
    return Live(
        connected=slack["connected"],
        last_event_seconds=slack["last_event"],
        limited=slack["limited"],
        resting=answer["resting"],
    )


def exposition(backlog: Backlog, live: Live) -> str:
    """Return everything in Prometheus's text format.

    https://prometheus.io/docs/instrumenting/exposition_formats
    Ages in seconds. Names of connections need no escaping: settings.NAME sees to that.
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
