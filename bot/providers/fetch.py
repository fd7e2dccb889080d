"""Calls a provider safely: timeout, circuit breaker, error mapping."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from bot.providers import circuit_breaker, plugin_thread, response_log
from bot.providers.deadline import Deadline
from bot.providers.loop_monitor import MonitoredCoroutine
from bot.providers.plugin_thread import PluginBlocked
from bot.sdk import formatting
from bot.sdk.cards import job_card
from bot.sdk.errors import (
    PLUGIN_EXCEPTIONS,
    AnswerNotUnderstood,
    JobthreadError,
    ProviderError,
    RateLimited,
    Unavailable,
    origin,
)
from bot.sdk.models import Change, Job, JobRef, Message

if TYPE_CHECKING:
    from bot.sdk.provider import Provider

log = logging.getLogger(__name__)

CALL_TIMEOUT_SECONDS = 60.0  # of one provider call, without queue time
QUEUE_TIMEOUT_SECONDS = 45.0  # waiting for a call slot; both are below the lease of a request
MAX_STEP_SECONDS = 1.0  # for which a provider may block the event loop without an await
Call = Callable[[], Awaitable[Any]]
_NEXT_STEP = "Whoever runs this bot finds more in the log; it is tried again by itself."


async def fetch_requested(provider: Provider[Any], ref: JobRef) -> Job | JobthreadError:
    """Fetch a requested job; the result keeps the reference that the provider returns.

    A user may request a job by its name; it is followed by its id.
    """
    result = await _guarded_call(provider, partial(provider.fetch_job, ref))
    if isinstance(result, Job) and result.ref.connection == ref.connection:
        return result
    return _checked_job(provider, result, ref)


async def fetch_batch(
    provider: Provider[Any], refs: Sequence[JobRef], seen: Mapping[JobRef, Job] | None = None
) -> dict[JobRef, Job | JobthreadError]:
    """Return each job, or the error of its fetch; plugin faults and hangs become errors too.

    `seen` holds the last known state of the jobs.
    """
    result = await _guarded_call(provider, partial(_fetch, provider, refs, seen or {}))
    if isinstance(result, JobthreadError):
        return dict.fromkeys(refs, result)
    if not isinstance(result, Mapping):
        return dict.fromkeys(refs, _invalid_result(provider, result))
    return {ref: _checked_job(provider, result.get(ref), ref) for ref in refs}


async def _fetch(
    provider: Provider[Any], refs: Sequence[JobRef], seen: Mapping[JobRef, Job]
) -> dict[JobRef, Job | JobthreadError]:
    if len(refs) > 1:
        return await provider.fetch_jobs(refs, seen)
    return {refs[0]: await provider.fetch_job(refs[0])}


async def fetch_recent(provider: Provider[Any], limit: int) -> Sequence[Job] | JobthreadError:
    """Return the newest jobs of a connection, or the error of the call."""
    result = await _guarded_call(provider, partial(provider.recent_jobs, limit))
    if isinstance(result, JobthreadError):
        return result
    try:
        return list(islice((job for job in result if isinstance(job, Job)), limit))
    except PLUGIN_EXCEPTIONS as error:
        log.error("invalid job list of %s: %s", provider.name, origin(error))
        return _invalid_result(provider, result)


async def _guarded_call(provider: Provider[Any], call: Call) -> Any:
    """Return the result of a provider's coroutine, or its error; update the circuit breaker."""
    if open_seconds := provider.circuit_breaker.open_for(provider.clock.now()):
        return _circuit_open(provider, open_seconds)
    deadline = Deadline(CALL_TIMEOUT_SECONDS, QUEUE_TIMEOUT_SECONDS)
    result = await _result_or_error(provider, call, deadline)
    if (
        not deadline.expired_in_queue
    ):  # the queue is the bot's own, so its timeout is no failure of the API
        _update_breaker(provider, result)
    return result


async def _result_or_error(provider: Provider[Any], call: Call, deadline: Deadline) -> Any:
    responses = response_log.start_recording()
    try:
        return await call_provider(provider, call, deadline)
    except JobthreadError as error:
        if isinstance(error, AnswerNotUnderstood):
            error.details = response_log.excerpt(responses, _secrets(provider))
        return error
    except (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001  plugin code may raise SystemExit
        log.error("provider of %s failed: %s", provider.name, origin(error))
        return Unavailable(f"The plugin that asks {provider.name} failed.", next_step=_NEXT_STEP)


async def call_provider(
    provider: Provider[Any], call: Call, deadline: Deadline | None = None
) -> Any:
    """Run a provider's coroutine in its plugin's thread, if it has one, and return the result.

    Raises Unavailable after a timeout, and every exception of the provider.
    """
    deadline = deadline or Deadline(CALL_TIMEOUT_SECONDS, QUEUE_TIMEOUT_SECONDS)
    limited_call = partial(_within, deadline, call)
    try:
        if provider.thread is None:
            return await _run_in_bot_loop(provider, limited_call)
        return await provider.thread.run(limited_call, CALL_TIMEOUT_SECONDS + QUEUE_TIMEOUT_SECONDS)
    except TimeoutError:
        raise _timed_out(provider, deadline) from None
    except PluginBlocked:
        log.error("the plugin of %s blocks its thread; circuit opened", provider.name)
        provider.circuit_breaker.open(circuit_breaker.BLOCKED_THREAD_SECONDS, provider.clock.now())
        sentence = f"The plugin that asks {provider.name} hangs."
        raise Unavailable(sentence, next_step=_NEXT_STEP) from None


async def _within(deadline: Deadline, call: Call) -> Any:
    async with deadline:
        return await call()


def _timed_out(provider: Provider[Any], deadline: Deadline) -> Unavailable:
    if deadline.expired_in_queue:
        seconds = f"{QUEUE_TIMEOUT_SECONDS:.0f} s"
        return Unavailable(
            f"Too many requests to {provider.name} are waiting: this one gave up after {seconds}."
        )
    return Unavailable(f"{provider.name} did not answer within {CALL_TIMEOUT_SECONDS:.0f} s.")


def _secrets(provider: Provider[Any]) -> list[str]:
    values = vars(provider.settings).values()
    return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]


async def validate_settings(providers: Iterable[Provider[Any]]) -> list[str]:
    """Return the problems that providers find in their settings, each with its key."""
    return [
        f"connections.{provider.name}.{problem}"
        for provider in providers
        for problem in await _settings_problems(provider)
    ]


async def _settings_problems(provider: Provider[Any]) -> Sequence[str]:
    try:
        if provider.thread is None:
            return list(await provider.validate_settings())
        return list(await provider.thread.run(provider.validate_settings, CALL_TIMEOUT_SECONDS))
    except PLUGIN_EXCEPTIONS as error:
        log.error("validating the settings of %s failed: %s", provider.name, origin(error))
        return ()


async def _run_in_bot_loop(provider: Provider[Any], call: Call) -> Any:
    """Run a call in the bot's event loop; open the circuit if it blocked the loop for long."""
    monitored = MonitoredCoroutine(_await(call))
    try:
        return await monitored
    finally:
        if monitored.longest_step > MAX_STEP_SECONDS:
            name, seconds = provider.name, monitored.longest_step
            log.error("%s blocked the event loop for %.1f s; circuit opened", name, seconds)
            provider.circuit_breaker.open(
                circuit_breaker.BLOCKED_LOOP_SECONDS, provider.clock.now()
            )


async def _await(call: Call) -> Any:
    return await call()


def _update_breaker(provider: Provider[Any], result: object) -> None:
    now = provider.clock.now()
    if provider.circuit_breaker.open_for(now):
        return  # this call has just opened the circuit
    if isinstance(result, RateLimited):
        provider.circuit_breaker.open(result.retry_after, now, rate_limited=True)
    elif _is_unavailable(result):
        provider.circuit_breaker.record_failure(now)
    else:
        provider.circuit_breaker.record_success()


def _is_unavailable(result: object) -> bool:
    if isinstance(result, Mapping):
        return bool(result) and all(_is_unavailable(one) for one in result.values())
    return isinstance(result, Unavailable)


def _circuit_open(provider: Provider[Any], seconds: float) -> ProviderError:
    if provider.circuit_breaker.rate_limited:
        return RateLimited(f"{provider.name} is busy.", retry_after=max(1.0, seconds))
    return Unavailable(
        f"{provider.name} has not answered lately.",
        next_step=f"Polling is paused. Try again in {formatting.duration(seconds)}.",
    )


def _invalid_result(provider: Provider[Any], result: object) -> AnswerNotUnderstood:
    error = AnswerNotUnderstood(f"The answer of {provider.name} was not understood.")
    error.details = f"its plugin returned a {type(result).__name__}"
    return error


def _checked_job(provider: Provider[Any], result: object, ref: JobRef) -> Job | JobthreadError:
    """Return a job under the requested reference, even if its provider writes it differently."""
    if isinstance(result, Job):
        return result.replace(ref=ref) if result.ref != ref else result
    return result if isinstance(result, JobthreadError) else _invalid_result(provider, result)


def _checked_message(message: object) -> Message:
    if not isinstance(message, Message):
        raise TypeError("a format method must return a Message")
    return message


def card(provider: Provider[Any] | None, job: Job, view: job_card.CardContext) -> Message:
    """Return the provider's card of a job, or the default card if rendering fails."""
    if provider is None:
        return job_card.render_card(job, view)
    try:
        message = plugin_thread.call_method(provider.thread, provider.format_job, job, view)
        return _checked_message(message)
    except PLUGIN_EXCEPTIONS as error:
        log.error("the provider of %s failed to format a job: %s", provider.name, origin(error))
        return job_card.render_card(job, view)


def thread_reply(
    provider: Provider[Any] | None, change: Change, view: job_card.CardContext
) -> Message:
    """Return the provider's thread reply for a change, or the default if rendering fails."""
    if provider is None:
        return job_card.render_change(change, view)
    try:
        message = plugin_thread.call_method(provider.thread, provider.format_change, change, view)
        return _checked_message(message)
    except PLUGIN_EXCEPTIONS as error:
        log.error("the provider of %s failed to format a change: %s", provider.name, origin(error))
        return job_card.render_change(change, view)
