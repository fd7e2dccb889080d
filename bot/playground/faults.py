"""What goes wrong on request: planned, drawn by lot or by count, and remembered. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Trouble(StrEnum):
    """The kinds of fault."""

    RATE_LIMIT = "rate_limit"  # 429 with Retry-After, nothing done
    LOSE_ANSWER = "lose_answer"  # done, then the connection is cut with no answer
    FAIL_BEFORE = "fail_before"  # 5xx, nothing done
    FAIL_AFTER = "fail_after"  # 5xx, though it was done
    DELAY = "delay"  # the call waits before it is done
    REFUSE = "refuse"  # ok: false with a word of Slack's
    REFUSE_SOCKET = "refuse_socket"  # no WebSocket handshake
    DELIVER_TWICE = "deliver_twice"  # an event arrives a second time, as it was
    SWALLOW = "swallow"  # a connection is open, and the envelope never comes through
    RETRY_EVENT = "retry_event"  # an event is sent again as a retry, though it was acknowledged


@dataclass(slots=True)
class Plan:
    """One fault that is to happen."""

    trouble: Trouble
    method: str = "*"  # a Web API method, or all of them
    times: int | None = 1  # how often it still happens; None is for ever
    chance: float = 1.0  # of happening, at each opportunity
    retry_after: int = 1  # seconds, for RATE_LIMIT
    seconds: float = 0.0  # for DELAY
    status: int = 503  # for FAIL_BEFORE and FAIL_AFTER
    error: str = ""  # for REFUSE


@dataclass(frozen=True, slots=True)
class Done:
    """One fault that happened."""

    trouble: str
    subject: str  # the method, channel or event it happened to


class Faults:
    """The faults that are planned, and those that happened (`done`)."""

    def __init__(self, seed: int = 0) -> None:
        self._lots = Random(seed)  # noqa: S311  (repeatable on purpose, and no secret)
        self._plans: list[Plan] = []
        self.done: list[Done] = []

    def plan(self, plan: Plan) -> None:
        """Let this fault happen."""
        self._plans.append(plan)

    def withdraw(self, plan: Plan) -> None:
        """Let this fault happen no more, however often it was to."""
        self._plans = [planned for planned in self._plans if planned is not plan]

    def clear(self) -> None:
        """Let nothing more go wrong; what happened is still remembered."""
        self._plans.clear()

    def rate_limit(
        self,
        method: str = "*",
        *,
        times: int | None = 1,
        retry_after: int = 1,
        chance: float = 1.0,
    ) -> None:
        """Answer 429 with Retry-After, and do nothing."""
        self.plan(Plan(Trouble.RATE_LIMIT, method, times, chance, retry_after=retry_after))

    def lose_answer(self, method: str = "*", *, times: int | None = 1, chance: float = 1.0) -> None:
        """Do what the call asks, then cut the connection with no answer."""
        self.plan(Plan(Trouble.LOSE_ANSWER, method, times, chance))

    def fail(
        self,
        method: str = "*",
        *,
        times: int | None = 1,
        status: int = 503,
        after: bool = False,
        chance: float = 1.0,
    ) -> None:
        """Answer 5xx: before anything was done, or after it was done."""
        trouble = Trouble.FAIL_AFTER if after else Trouble.FAIL_BEFORE
        self.plan(Plan(trouble, method, times, chance, status=status))

    def delay(self, method: str = "*", *, milliseconds: int, times: int | None = None) -> None:
        """Let the call wait on the workspace's clock before it is done."""
        self.plan(Plan(Trouble.DELAY, method, times, seconds=milliseconds / 1000))

    def refuse(self, error: str, method: str = "*", *, times: int | None = 1) -> None:
        """Answer with this word of Slack's: invalid_auth, token_revoked and the like."""
        self.plan(Plan(Trouble.REFUSE, method, times, error=error))

    def refuse_sockets(self, *, times: int | None = 1) -> None:
        """Refuse new Socket Mode connections."""
        self.plan(Plan(Trouble.REFUSE_SOCKET, times=times))

    def swallow(self, *, times: int | None = 1) -> None:
        """Let an envelope get lost on its way, though the connection is open."""
        self.plan(Plan(Trouble.SWALLOW, times=times))

    def deliver_twice(self, *, times: int | None = 1) -> None:
        """Deliver the same event a second time, with nothing that says so."""
        self.plan(Plan(Trouble.DELIVER_TWICE, times=times))

    def retry_event(self, *, times: int | None = 1) -> None:
        """Send an event again as a retry, though it was acknowledged."""
        self.plan(Plan(Trouble.RETRY_EVENT, times=times))

    def take(self, trouble: Trouble, subject: str = "*") -> Plan | None:
        """Return the fault that is to happen now, if there is one, and count it."""
        for plan in self._plans:
            if plan.trouble is trouble and plan.method in {"*", subject} and self._drawn(plan):
                self._count(plan)
                self.note(trouble, subject)
                return plan
        return None

    def note(self, trouble: str, subject: str) -> None:
        """Remember that something went wrong."""
        self.done.append(Done(str(trouble), subject))

    def _drawn(self, plan: Plan) -> bool:
        return plan.chance >= 1 or self._lots.random() < plan.chance

    def _count(self, plan: Plan) -> None:
        if plan.times is not None:
            plan.times -= 1
            if plan.times <= 0:
                self._plans.remove(plan)
