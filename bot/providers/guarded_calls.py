"""Calls a provider safely: timeout, circuit breaker, error mapping."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pydantic import SecretStr

from bot.providers import circuit_breaker, response_log
from bot.providers.deadline import Deadline
from bot.providers.loop_monitor import MonitoredCoroutine
from bot.providers.plugin_thread import PluginBlocked
from bot.sdk import formatting
from bot.sdk.errors import (
    AnswerNotUnderstood,
    JobthreadError,
    ProviderError,
    RateLimited,
    Unavailable,
    origin,
)

if TYPE_CHECKING:
    import httpx

    from bot.providers.circuit_breaker import CircuitBreaker
    from bot.sdk.provider import Provider

log = logging.getLogger(__name__)

CALL_TIMEOUT_SECONDS = 60.0  # of one provider call, without queue time
QUEUE_TIMEOUT_SECONDS = 45.0  # waiting for a call slot; both are below the lease of a request
Call = Callable[[], Awaitable[Any]]
T = TypeVar("T")
_NEXT_STEP = "The operator of this bot finds more in the log; it is tried again by itself."


class Runner(Protocol):
    """Where a provider's code runs: the bot's event loop, or the thread of its plugin."""

    @property
    def max_step_seconds(self) -> float:
        """How long a call may run without an await."""

    async def run(self, function: Callable[[], Awaitable[T]], seconds: float) -> T:
        """Run a coroutine function and return its result."""

    def call_method(self, method: Callable[..., T], *args: Any) -> T:
        """Call a provider's synchronous method and return its result."""

    def on_close(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Register a coroutine function that `close` runs."""

    async def close(self) -> None:
        """Run the registered functions, and stop."""


class GuardedCalls:
    """Runs the calls of one connection and updates its circuit breaker."""

    def __init__(self, provider: Provider[Any], runner: Runner, breaker: CircuitBreaker) -> None:
        self._provider = provider
        self._name = provider.name
        self._clock = provider.clock
        self._runner = runner
        self._breaker = breaker

    async def result_of(self, call: Call) -> Any:
        """Return the result of a call, or its error; an open circuit makes no call."""
        if open_seconds := self._breaker.open_for(self._clock.monotonic()):
            return self._circuit_open(open_seconds)
        deadline = _deadline()
        result = await self._result_or_error(call, deadline)
        if not deadline.expired_in_queue:  # the queue is the bot's own, not the API's
            self._update_breaker(result)
        return result

    async def _result_or_error(self, call: Call, deadline: Deadline) -> Any:
        responses = response_log.start_recording()
        try:
            return await self.run(call, deadline)
        except JobthreadError as error:
            if isinstance(error, AnswerNotUnderstood):
                self._set_details(error, responses[-1] if responses else None)
            return error
        except (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001  plugin code may raise SystemExit
            log.error("provider of %s failed: %s", self._name, origin(error))
            return Unavailable(f"The plugin that asks {self._name} failed.", next_step=_NEXT_STEP)

    def _set_details(self, error: AnswerNotUnderstood, last: httpx.Response | None) -> None:
        """Describe the response that was not understood, for the log."""
        response, error.response = error.response or last, None
        if response is not None:
            secrets = _secrets(self._provider)
            error.details = response_log.excerpt(response, secrets, error.problems)

    async def run(self, call: Call, deadline: Deadline | None = None) -> Any:
        """Run a call and return its result.

        Raises Unavailable after a timeout, and every exception of the provider.
        """
        deadline = deadline or _deadline()
        limited_call = partial(self._run_limited, call, deadline)
        try:
            seconds = CALL_TIMEOUT_SECONDS + QUEUE_TIMEOUT_SECONDS
            return await self._runner.run(limited_call, seconds)
        except TimeoutError:
            raise self._timed_out(deadline) from None
        except PluginBlocked:
            log.error("the plugin of %s blocks its thread; circuit opened", self._name)
            self._breaker.open(circuit_breaker.BLOCKED_THREAD_SECONDS, self._clock.monotonic())
            sentence = f"The plugin that asks {self._name} hangs."
            raise Unavailable(sentence, next_step=_NEXT_STEP) from None

    async def _run_limited(self, call: Call, deadline: Deadline) -> Any:
        """Run a call until the deadline; open the circuit if it blocked the bot's loop for long."""
        monitored = MonitoredCoroutine(_within(deadline, call))
        try:
            return await monitored
        finally:
            if monitored.longest_step > self._runner.max_step_seconds:
                seconds = monitored.longest_step
                log.error(
                    "%s blocked the event loop for %.1f s; circuit opened", self._name, seconds
                )
                self._breaker.open(circuit_breaker.BLOCKED_LOOP_SECONDS, self._clock.monotonic())

    def _timed_out(self, deadline: Deadline) -> Unavailable:
        if deadline.expired_in_queue:
            seconds = f"{QUEUE_TIMEOUT_SECONDS:.0f} s"
            return Unavailable(
                f"Too many requests to {self._name} are waiting: this one gave up after {seconds}."
            )
        return Unavailable(f"{self._name} did not answer within {CALL_TIMEOUT_SECONDS:.0f} s.")

    def _circuit_open(self, seconds: float) -> ProviderError:
        if self._breaker.rate_limited:
            return RateLimited(f"{self._name} is busy.", retry_after=max(1.0, seconds))
        return Unavailable(
            f"{self._name} has not answered lately.",
            next_step=f"Polling is paused. Try again in {formatting.duration(seconds)}.",
        )

    def _update_breaker(self, result: object) -> None:
        now = self._clock.monotonic()
        if self._breaker.open_for(now):
            return  # this call has just opened the circuit
        if isinstance(result, RateLimited):
            self._breaker.open(result.retry_after, now, rate_limited=True)
        elif _is_unavailable(result):
            self._breaker.record_failure(now)
        else:
            self._breaker.record_success()


def _deadline() -> Deadline:
    return Deadline(CALL_TIMEOUT_SECONDS, QUEUE_TIMEOUT_SECONDS)


async def _within(deadline: Deadline, call: Call) -> Any:
    async with deadline:
        return await call()


def _secrets(provider: Provider[Any]) -> list[str]:
    values = vars(provider.settings).values()
    return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]


def _is_unavailable(result: object) -> bool:
    if isinstance(result, Mapping):
        return bool(result) and all(_is_unavailable(one) for one in result.values())
    return isinstance(result, Unavailable)
