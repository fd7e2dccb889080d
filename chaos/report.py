"""Figures of a run, as a table and as one line of JSON. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaos.journal import Journal
    from chaos.plan import Plan
    from chaos.threads import BotMessages
    from chaos.verdict import Verdict

MAX_VIOLATIONS = 10  # printed of each kind


@dataclass(frozen=True)
class Figures:
    """The figures of one run."""

    minutes: float
    seed: int
    disabled_safeguard: str  # empty: none
    kills: int
    stops: int
    crashes: int  # the bot ended by itself
    slack_calls: int  # during the faults
    slack_faults: int  # of these calls
    other_faults: int  # of connections, envelopes, events and response_urls
    provider_faults: int
    environment_faults: dict[str, int]  # by kind: clock, token, disk, channels
    overtaken_answers: int  # provider answers that a newer one was to overtake
    requests: int  # requests of users, retries included
    watches: int
    changes: int  # of the jobs
    expected: int  # replies that a thread must have
    coalesced: int  # seen changes in a later reply, as the bot died in between
    posts: int
    lost: int
    duplicated: int
    out_of_order: int
    repeated_ephemerals: int
    delay_median: float  # seconds from a change to its reply
    delay_p99: float
    delay_worst: float
    reconnect_median: float  # seconds from a kill to connected again
    reconnect_worst: float
    reconnect_worst_undisturbed: float  # of those without a fault of Slack
    first_poll_median: float  # seconds from a kill to the first poll
    first_poll_worst: float
    catch_up_seconds: float  # seconds after the faults until all was posted


@dataclass(frozen=True)
class CallCounts:
    """Calls and faults that the local Slack counted."""

    calls: int  # during the faults
    faults: int  # of these calls
    other_faults: int  # of connections, envelopes, events and response_urls


def figures(
    plan: Plan,
    verdict: Verdict,
    journal: Journal,
    threads: BotMessages,
    *,
    slack: CallCounts,
    requests: int,
    crashes: int,
    catch_up_seconds: float,
) -> Figures:
    """Return the figures of a run."""
    return Figures(
        minutes=plan.minutes,
        seed=plan.seed,
        disabled_safeguard=plan.disabled_safeguard,
        kills=len(journal.kills),
        stops=journal.stops,
        crashes=crashes,
        slack_calls=slack.calls,
        slack_faults=slack.faults,
        other_faults=slack.other_faults,
        provider_faults=journal.provider_faults,
        environment_faults=dict(sorted(journal.environment_faults.items())),
        overtaken_answers=journal.overtaken_answers,
        requests=requests,
        watches=sum(card.followed for card in threads.cards),
        changes=journal.changes,
        expected=verdict.expected,
        coalesced=verdict.coalesced,
        posts=threads.posts,
        lost=len(verdict.lost),
        duplicated=len(verdict.duplicated),
        out_of_order=len(verdict.out_of_order),
        repeated_ephemerals=verdict.repeated_ephemerals,
        delay_median=_median(verdict.delays),
        delay_p99=_p99(verdict.delays),
        delay_worst=_worst(verdict.delays),
        reconnect_median=_median([r.seconds for r in journal.reconnects]),
        reconnect_worst=_worst([r.seconds for r in journal.reconnects]),
        reconnect_worst_undisturbed=_worst(
            [r.seconds for r in journal.reconnects if not r.disturbed]
        ),
        first_poll_median=_median(journal.first_poll_seconds),
        first_poll_worst=_worst(journal.first_poll_seconds),
        catch_up_seconds=round(catch_up_seconds, 1),
    )


def _median(seconds: Sequence[float]) -> float:
    return round(median(seconds), 2) if seconds else 0.0


def _p99(seconds: Sequence[float]) -> float:
    return round(quantiles(seconds, n=100)[98], 2) if len(seconds) > 1 else _worst(seconds)


def _worst(seconds: Sequence[float]) -> float:
    return round(max(seconds, default=0.0), 2)


def as_json(found: Figures) -> str:
    """Return the figures as one line of JSON."""
    return json.dumps(asdict(found))


def table(found: Figures) -> str:
    """Return the figures as a table."""
    share = found.slack_faults / max(1, found.slack_calls)
    rows = [
        ("ran", f"{found.minutes:g} min, seed {found.seed}"),
        ("disabled safeguard", found.disabled_safeguard or "none"),
        ("kills", f"{found.kills:,}"),
        ("stops", f"{found.stops:,}"),
        ("ended by itself", f"{found.crashes:,}"),
        ("calls of Slack", f"{found.slack_calls:,}"),
        ("  with a fault", f"{found.slack_faults:,} ({share:.0%})"),
        ("other faults of Slack", f"{found.other_faults:,}"),
        ("the provider's faults", f"{found.provider_faults:,}"),
        *((kind, f"{times:,}") for kind, times in found.environment_faults.items()),
        ("answers to be overtaken", f"{found.overtaken_answers:,}"),
        ("requests", f"{found.requests:,}"),
        ("watches", f"{found.watches:,}"),
        ("changes", f"{found.changes:,}"),
        ("  expected as replies", f"{found.expected:,}"),
        ("  in a later reply", f"{found.coalesced:,}"),
        ("posts", f"{found.posts:,}"),
        ("lost", f"{found.lost:,}"),
        ("duplicated", f"{found.duplicated:,}"),
        ("out of order", f"{found.out_of_order:,}"),
        ("ephemerals repeated", f"{found.repeated_ephemerals:,}"),
        ("change → reply, median", f"{found.delay_median:.1f} s"),
        ("  99 %", f"{found.delay_p99:.1f} s"),
        ("  worst", f"{found.delay_worst:.1f} s"),
        ("kill → connected, median", f"{found.reconnect_median:.2f} s"),
        ("  worst, without faults", f"{found.reconnect_worst_undisturbed:.2f} s"),
        ("  worst", f"{found.reconnect_worst:.2f} s"),
        ("kill → first poll, median", f"{found.first_poll_median:.2f} s"),
        ("  worst", f"{found.first_poll_worst:.2f} s"),
        ("caught up after", f"{found.catch_up_seconds:.1f} s"),
    ]
    return "\n".join(f"{name:<28} {value:>18}" for name, value in rows)


def violations(verdict: Verdict) -> str:
    """Return the first violations of each kind."""
    kinds = (
        ("lost", verdict.lost),
        ("duplicated", verdict.duplicated),
        ("out of order", verdict.out_of_order),
    )
    lines = [f"{kind}: {line}" for kind, found in kinds for line in found[:MAX_VIOLATIONS]]
    return "\n".join(lines)
