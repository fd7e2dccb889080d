"""Fault injection: planned faults, by count or probability, and a log of them. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random


class FaultKind(StrEnum):
    """The kinds of fault."""

    RATE_LIMIT = "rate_limit"  # 429 with Retry-After, not executed
    LOSE_ANSWER = "lose_answer"  # executed, then the connection is aborted without a response
    FAIL_BEFORE = "fail_before"  # 5xx, not executed
    FAIL_AFTER = "fail_after"  # 5xx, although it was executed
    DELAY = "delay"  # the call waits before it is executed
    REFUSE = "refuse"  # ok: false with a Slack error code
    REFUSE_SOCKET = "refuse_socket"  # no WebSocket handshake
    DELIVER_TWICE = "deliver_twice"  # an event is delivered twice, unchanged
    DROP_ENVELOPE = "swallow"  # the connection is open, and the envelope is lost
    RETRY_EVENT = "retry_event"  # an acknowledged event is sent again as a retry


@dataclass(slots=True)
class PlannedFault:
    """One planned fault."""

    kind: FaultKind
    method: str = "*"  # a Web API method, or all of them
    times: int | None = 1  # remaining occurrences; None is unlimited
    chance: float = 1.0  # probability at each opportunity
    retry_after: int = 1  # seconds, for RATE_LIMIT
    seconds: float = 0.0  # for DELAY
    status: int = 503  # for FAIL_BEFORE and FAIL_AFTER
    error: str = ""  # for REFUSE


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """One fault that was injected."""

    kind: str
    subject: str  # the affected method, channel or event


class Faults:
    """The planned faults, and those that were injected (`injected`)."""

    def __init__(self, seed: int = 0) -> None:
        self._random = Random(seed)  # noqa: S311  (repeatable on purpose, and no secret)
        self._plans: list[PlannedFault] = []
        self.injected: list[InjectedFault] = []

    def plan(self, plan: PlannedFault) -> None:
        """Plan this fault."""
        self._plans.append(plan)

    def cancel(self, plan: PlannedFault) -> None:
        """Cancel this fault, with all its remaining occurrences."""
        self._plans = [planned for planned in self._plans if planned is not plan]

    def clear(self) -> None:
        """Cancel all planned faults; the log of injected ones stays."""
        self._plans.clear()

    def rate_limit(
        self,
        method: str = "*",
        *,
        times: int | None = 1,
        retry_after: int = 1,
        chance: float = 1.0,
    ) -> None:
        """Answer 429 with Retry-After; do not execute the call."""
        self.plan(
            PlannedFault(FaultKind.RATE_LIMIT, method, times, chance, retry_after=retry_after)
        )

    def lose_answer(self, method: str = "*", *, times: int | None = 1, chance: float = 1.0) -> None:
        """Execute the call, then abort the connection without a response."""
        self.plan(PlannedFault(FaultKind.LOSE_ANSWER, method, times, chance))

    def fail(
        self,
        method: str = "*",
        *,
        times: int | None = 1,
        status: int = 503,
        after: bool = False,
        chance: float = 1.0,
    ) -> None:
        """Answer 5xx: before the call is executed, or after it."""
        kind = FaultKind.FAIL_AFTER if after else FaultKind.FAIL_BEFORE
        self.plan(PlannedFault(kind, method, times, chance, status=status))

    def delay(self, method: str = "*", *, milliseconds: int, times: int | None = None) -> None:
        """Delay the call, on the workspace's clock, before it is executed."""
        self.plan(PlannedFault(FaultKind.DELAY, method, times, seconds=milliseconds / 1000))

    def refuse(self, error: str, method: str = "*", *, times: int | None = 1) -> None:
        """Answer with this Slack error code, such as invalid_auth or token_revoked."""
        self.plan(PlannedFault(FaultKind.REFUSE, method, times, error=error))

    def refuse_sockets(self, *, times: int | None = 1) -> None:
        """Refuse new Socket Mode connections."""
        self.plan(PlannedFault(FaultKind.REFUSE_SOCKET, times=times))

    def drop_envelope(self, *, times: int | None = 1) -> None:
        """Drop an envelope although the connection is open."""
        self.plan(PlannedFault(FaultKind.DROP_ENVELOPE, times=times))

    def deliver_twice(self, *, times: int | None = 1) -> None:
        """Deliver the same event twice, not marked as a retry."""
        self.plan(PlannedFault(FaultKind.DELIVER_TWICE, times=times))

    def retry_event(self, *, times: int | None = 1) -> None:
        """Send an acknowledged event again, marked as a retry."""
        self.plan(PlannedFault(FaultKind.RETRY_EVENT, times=times))

    def consume(self, kind: FaultKind, subject: str = "*") -> PlannedFault | None:
        """Return the fault to inject now, if one is planned; count and log it."""
        for plan in self._plans:
            if plan.kind is kind and plan.method in {"*", subject} and self._happens(plan):
                self._decrement(plan)
                self.record(kind, subject)
                return plan
        return None

    def record(self, kind: str, subject: str) -> None:
        """Log an injected fault."""
        self.injected.append(InjectedFault(str(kind), subject))

    def _happens(self, plan: PlannedFault) -> bool:
        return plan.chance >= 1 or self._random.random() < plan.chance

    def _decrement(self, plan: PlannedFault) -> None:
        if plan.times is not None:
            plan.times -= 1
            if plan.times <= 0:
                self._plans.remove(plan)
