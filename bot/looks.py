"""Looking at jobs through a provider, whatever the provider does: a job or an error of ours."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from bot import cards
from bot.errors import AnswerNotUnderstood, JobthreadError, Unavailable, trail
from bot.models import Change, Job, JobRef, Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.provider import Provider

log = logging.getLogger(__name__)

LONGEST_SECONDS = 60.0  # a provider may take for one look


async def look(
    provider: Provider[Any], refs: Sequence[JobRef]
) -> dict[JobRef, Job | JobthreadError]:
    """Return each job or the error met; strangers' faults and endless waits stay in here."""
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            found = await _fetch(provider, refs)
        return {ref: _own(provider, found.get(ref), ref) for ref in refs}
    except JobthreadError as error:
        return dict.fromkeys(refs, error)
    except TimeoutError:
        slow = Unavailable(f"{provider.name} did not answer within {LONGEST_SECONDS:.0f} s.")
        return dict.fromkeys(refs, slow)
    except Exception as error:  # noqa: BLE001  strangers' code: the edge of a plugin
        log.error("the provider of %s failed: %s", provider.name, trail(error))
        return dict.fromkeys(refs, _puzzle(provider))


async def _fetch(
    provider: Provider[Any], refs: Sequence[JobRef]
) -> dict[JobRef, Job | JobthreadError]:
    if len(refs) > 1:
        return await provider.fetch_jobs(refs)
    return {refs[0]: await provider.fetch_job(refs[0])}


def _puzzle(provider: Provider[Any]) -> AnswerNotUnderstood:
    return AnswerNotUnderstood(f"The answer of {provider.name} was not understood.")


def _own(provider: Provider[Any], found: object, ref: JobRef) -> Job | JobthreadError:
    """A job goes by the reference it was asked for, however its provider spells it."""
    if isinstance(found, Job):
        return found.but(ref=ref) if found.ref != ref else found
    return found if isinstance(found, JobthreadError) else _puzzle(provider)


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
    except Exception as error:  # noqa: BLE001  strangers' code: the edge of a plugin
        log.error("%s cannot format a job: %s", provider.name, trail(error))
        return cards.job(job, view)


def follow_up(provider: Provider[Any] | None, change: Change, view: cards.View) -> Message:
    """Return the provider's follow-up of a change, or the plain one if the provider's own fails."""
    if provider is None:
        return cards.change(change, view)
    try:
        return _said(provider.format_change(change, view))
    except Exception as error:  # noqa: BLE001  strangers' code: the edge of a plugin
        log.error("%s cannot format a change: %s", provider.name, trail(error))
        return cards.change(change, view)
