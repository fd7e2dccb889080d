"""Looking at jobs through a provider, whatever the provider does: a job or an error of ours."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from bot import words
from bot.cards import cards
from bot.errors import (
    FAULTS,
    AnswerNotUnderstood,
    JobthreadError,
    ProviderError,
    RateLimited,
    Unavailable,
    trail,
)
from bot.models import Change, Job, JobRef, Message
from bot.providers import breaker, compartment, evidence
from bot.providers.compartment import HeldError
from bot.providers.patience import Patience
from bot.providers.stopwatch import Watched

if TYPE_CHECKING:
    from bot.providers.provider import Provider

log = logging.getLogger(__name__)

LONGEST_SECONDS = 60.0  # a provider may take for one look, once it has a place to call from
WAITING_SECONDS = 45.0  # a look may wait for that place; both are less than a question's lease
BLOCKED_SECONDS = 1.0  # that a provider may hold the event loop in one piece
Ask = Callable[[], Awaitable[Any]]
_TOLD = "Whoever runs this bot finds more in the log; it is tried again by itself."


async def first_look(provider: Provider[Any], ref: JobRef) -> Job | JobthreadError:
    """Return the job that somebody asks for, under the reference that its provider gives it.

    Somebody may ask by a name; from then on the job goes by its id.
    """
    found = await _contained(provider, partial(provider.fetch_job, ref))
    if isinstance(found, Job) and found.ref.connection == ref.connection:
        return found
    return _own(provider, found, ref)


async def look(
    provider: Provider[Any], refs: Sequence[JobRef], seen: Mapping[JobRef, Job] | None = None
) -> dict[JobRef, Job | JobthreadError]:
    """Return each job or the error met; strangers' faults and endless waits stay in here.

    `seen` is what is known of the jobs.
    """
    found = await _contained(provider, partial(_fetch, provider, refs, seen or {}))
    if isinstance(found, JobthreadError):
        return dict.fromkeys(refs, found)
    if not isinstance(found, Mapping):
        return dict.fromkeys(refs, _puzzle(provider, found))
    return {ref: _own(provider, found.get(ref), ref) for ref in refs}


async def _fetch(
    provider: Provider[Any], refs: Sequence[JobRef], seen: Mapping[JobRef, Job]
) -> dict[JobRef, Job | JobthreadError]:
    if len(refs) > 1:
        return await provider.fetch_jobs(refs, seen)
    return {refs[0]: await provider.fetch_job(refs[0])}


async def recent(provider: Provider[Any], limit: int) -> Sequence[Job] | JobthreadError:
    """Return the newest jobs of a connection or the error met, as `look` does."""
    found = await _contained(provider, partial(provider.recent_jobs, limit))
    if isinstance(found, JobthreadError):
        return found
    try:
        return list(islice((job for job in found if isinstance(job, Job)), limit))
    except FAULTS as error:
        log.error("the list of jobs of %s cannot be read: %s", provider.name, trail(error))
        return _puzzle(provider, found)


async def _contained(provider: Provider[Any], ask: Ask) -> Any:
    """Return what a provider's coroutine returns, or the error met; a failing one may rest."""
    if pause := provider.breaker.pause(provider.clock.now()):
        return _resting(provider, pause)
    patience = Patience(LONGEST_SECONDS, WAITING_SECONDS)
    found = await _met(provider, ask, patience)
    if not patience.in_vain:  # to wait in vain is no fault of the connection's
        _judge(provider, found)
    return found


async def _met(provider: Provider[Any], ask: Ask, patience: Patience) -> Any:
    answers = evidence.begin()
    try:
        return await run(provider, ask, patience)
    except JobthreadError as error:
        if isinstance(error, AnswerNotUnderstood):
            error.details = evidence.told(answers, _secrets(provider))
        return error
    except (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001  strangers' code, which may want to end the bot
        log.error("the provider of %s failed: %s", provider.name, trail(error))
        return Unavailable(f"The plugin that asks {provider.name} failed.", next_step=_TOLD)


async def run(provider: Provider[Any], ask: Ask, patience: Patience | None = None) -> Any:
    """Return what a provider's coroutine returns; it is run where the provider's code runs.

    Raises Unavailable if it takes too long, and whatever the provider raises.
    """
    patience = patience or Patience(LONGEST_SECONDS, WAITING_SECONDS)
    work = partial(_patiently, ask, patience)
    try:
        if provider.compartment is None:
            return await _here(provider, work)
        return await provider.compartment.run(work, LONGEST_SECONDS + WAITING_SECONDS)
    except TimeoutError:
        raise _late(provider, patience) from None
    except HeldError:
        log.error("the plugin of %s blocks its own compartment; it rests", provider.name)
        provider.breaker.rest(breaker.HELD_SECONDS, provider.clock.now())
        why = f"The plugin that asks {provider.name} hangs."
        raise Unavailable(why, next_step=_TOLD) from None


async def _patiently(ask: Ask, patience: Patience) -> Any:
    async with patience:
        return await ask()


def _late(provider: Provider[Any], patience: Patience) -> Unavailable:
    if patience.in_vain:
        seconds = f"{WAITING_SECONDS:.0f} s"
        return Unavailable(
            f"{provider.name} is asked so much that a look waited {seconds} in vain."
        )
    return Unavailable(f"{provider.name} did not answer within {LONGEST_SECONDS:.0f} s.")


def _secrets(provider: Provider[Any]) -> list[str]:
    values = vars(provider.settings).values()
    return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]


async def rehearsed(providers: Iterable[Provider[Any]]) -> list[str]:
    """Return what providers find wrong with their settings, each under its key."""
    return [
        f"connections.{provider.name}.{problem}"
        for provider in providers
        for problem in await _rehearsed(provider)
    ]


async def _rehearsed(provider: Provider[Any]) -> Sequence[str]:
    try:
        if provider.compartment is None:
            return list(await provider.rehearse())
        return list(await provider.compartment.run(provider.rehearse, LONGEST_SECONDS))
    except FAULTS as error:
        log.error("%s cannot be rehearsed: %s", provider.name, trail(error))
        return ()


async def _here(provider: Provider[Any], ask: Ask) -> Any:
    """Run it in the bot's own loop; one that holds everybody up is left alone for a while."""
    watched = Watched(_awaited(ask))
    try:
        return await watched
    finally:
        if watched.longest_step > BLOCKED_SECONDS:
            seconds = watched.longest_step
            log.error("%s held the whole bot up for %.1f s; it rests", provider.name, seconds)
            provider.breaker.rest(breaker.BLOCKING_SECONDS, provider.clock.now())


async def _awaited(ask: Ask) -> Any:
    return await ask()


def _judge(provider: Provider[Any], found: object) -> None:
    """Tell the connection's breaker how this went."""
    now = provider.clock.now()
    if provider.breaker.pause(now):
        return  # it has just been laid to rest
    if isinstance(found, RateLimited):
        provider.breaker.rest(found.retry_after, now, limited=True)
    elif _unanswered(found):
        provider.breaker.failed(now)
    else:
        provider.breaker.answered()


def _unanswered(found: object) -> bool:
    if isinstance(found, Mapping):
        return bool(found) and all(_unanswered(one) for one in found.values())
    return isinstance(found, Unavailable)


def _resting(provider: Provider[Any], seconds: float) -> ProviderError:
    if provider.breaker.limited:
        return RateLimited(f"{provider.name} is busy.", retry_after=max(1.0, seconds))
    return Unavailable(
        f"{provider.name} has not answered lately.",
        next_step=f"Ask again in {words.duration(seconds)}; until then it is left in peace.",
    )


def _puzzle(provider: Provider[Any], found: object) -> AnswerNotUnderstood:
    error = AnswerNotUnderstood(f"The answer of {provider.name} was not understood.")
    error.details = f"its plugin returned a {type(found).__name__}"
    return error


def _own(provider: Provider[Any], found: object, ref: JobRef) -> Job | JobthreadError:
    """A job goes by the reference it was asked for, however its provider spells it."""
    if isinstance(found, Job):
        return found.but(ref=ref) if found.ref != ref else found
    return found if isinstance(found, JobthreadError) else _puzzle(provider, found)


def _said(message: object) -> Message:
    if not isinstance(message, Message):
        raise TypeError("a format method must return a Message")
    return message


def card(provider: Provider[Any] | None, job: Job, view: cards.View) -> Message:
    """Return the provider's card of a job, or the plain one if the provider's own fails."""
    if provider is None:
        return cards.job(job, view)
    try:
        return _said(compartment.call(provider.compartment, provider.format_job, job, view))
    except FAULTS as error:
        log.error("%s cannot format a job: %s", provider.name, trail(error))
        return cards.job(job, view)


def follow_up(provider: Provider[Any] | None, change: Change, view: cards.View) -> Message:
    """Return the provider's follow-up of a change, or the plain one if the provider's own fails."""
    if provider is None:
        return cards.change(change, view)
    try:
        return _said(compartment.call(provider.compartment, provider.format_change, change, view))
    except FAULTS as error:
        log.error("%s cannot format a change: %s", provider.name, trail(error))
        return cards.change(change, view)
