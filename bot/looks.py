"""Looking at jobs through a provider, whatever the provider does: a job or an error of ours."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from bot import breaker, cards, evidence, words
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
from bot.patience import Patience
from bot.stopwatch import Watched

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from bot.provider import Provider

    Work = Callable[[], Coroutine[Any, Any, Any]]

log = logging.getLogger(__name__)

LONGEST_SECONDS = 60.0  # a provider may take for one look, once it has a place to call from
WAITING_SECONDS = 45.0  # a look may wait for that place; both are less than a question's lease
BLOCKED_SECONDS = 1.0  # that a provider may hold the event loop in one piece
_TOLD = "Whoever runs this bot finds more in the log; it is tried again by itself."


async def first_look(provider: Provider[Any], ref: JobRef) -> Job | JobthreadError:
    """Return the job that somebody asks for, under the reference that its provider gives it.

    Somebody may ask by a name; from then on the job goes by its id.
    """
    found = await _contained(provider, lambda: provider.fetch_job(ref))
    if isinstance(found, Job) and found.ref.connection == ref.connection:
        return found
    return _own(provider, found, ref)


async def look(
    provider: Provider[Any], refs: Sequence[JobRef]
) -> dict[JobRef, Job | JobthreadError]:
    """Return each job or the error met; strangers' faults and endless waits stay in here."""
    found = await _contained(provider, lambda: _fetch(provider, refs))
    if isinstance(found, JobthreadError):
        return dict.fromkeys(refs, found)
    if not isinstance(found, Mapping):
        return dict.fromkeys(refs, _puzzle(provider, found))
    return {ref: _own(provider, found.get(ref), ref) for ref in refs}


async def _fetch(
    provider: Provider[Any], refs: Sequence[JobRef]
) -> dict[JobRef, Job | JobthreadError]:
    if len(refs) > 1:
        return await provider.fetch_jobs(refs)
    return {refs[0]: await provider.fetch_job(refs[0])}


async def recent(provider: Provider[Any], limit: int) -> Sequence[Job] | JobthreadError:
    """Return the newest jobs of a connection or the error met, as `look` does."""
    found = await _contained(provider, lambda: provider.recent_jobs(limit))
    if isinstance(found, JobthreadError):
        return found
    try:
        return list(islice((job for job in found if isinstance(job, Job)), limit))
    except FAULTS as error:
        log.error("the list of jobs of %s cannot be read: %s", provider.name, trail(error))
        return _puzzle(provider, found)


async def _contained(provider: Provider[Any], work: Work) -> Any:
    """Return what a provider's coroutine returns, or the error met; a failing one may rest."""
    if pause := provider.breaker.pause(provider.clock.now()):
        return _resting(provider, pause)
    watched = Watched(_begun(work))
    patience = Patience(LONGEST_SECONDS, WAITING_SECONDS)
    found = await _met(provider, watched, patience)
    if not patience.in_vain:  # to wait in vain is no fault of the connection's
        _judge(provider, found, watched.longest_step)
    return found


async def _begun(work: Work) -> Any:
    return await work()


async def _met(provider: Provider[Any], watched: Watched, patience: Patience) -> Any:
    answers = evidence.begin()
    try:
        async with patience:
            return await watched
    except JobthreadError as error:
        if isinstance(error, AnswerNotUnderstood):
            error.details = evidence.told(answers, _secrets(provider))
        return error
    except TimeoutError:
        return _late(provider, patience)
    except (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001  strangers' code, which may want to end the bot
        log.error("the provider of %s failed: %s", provider.name, trail(error))
        return Unavailable(f"The plugin that asks {provider.name} failed.", next_step=_TOLD)


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


def _judge(provider: Provider[Any], found: object, longest_step: float) -> None:
    """Tell the connection's breaker how this went."""
    now = provider.clock.now()
    if longest_step > BLOCKED_SECONDS:
        log.error("%s held the whole bot up for %.1f s; it rests", provider.name, longest_step)
        provider.breaker.rest(breaker.BLOCKING_SECONDS, now)
    elif isinstance(found, RateLimited):
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
        return _said(provider.format_job(job, view))
    except FAULTS as error:
        log.error("%s cannot format a job: %s", provider.name, trail(error))
        return cards.job(job, view)


def follow_up(provider: Provider[Any] | None, change: Change, view: cards.View) -> Message:
    """Return the provider's follow-up of a change, or the plain one if the provider's own fails."""
    if provider is None:
        return cards.change(change, view)
    try:
        return _said(provider.format_change(change, view))
    except FAULTS as error:
        log.error("%s cannot format a change: %s", provider.name, trail(error))
        return cards.change(change, view)
