"""Error → reply, logged under one correlation id."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING

from bot.commands import replies
from bot.commands.actions import Reply
from bot.sdk.errors import Ambiguous, AnswerNotUnderstood, origin

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.sdk.errors import JobthreadError
    from bot.sdk.models import JobRef

log = logging.getLogger(__name__)


def error_reply(
    error: JobthreadError, ref: JobRef | None, with_word: Callable[[str], str] = str
) -> Reply:
    """Return the reply to an error, and log its details under the same correlation id.

    An ambiguous reference is not logged: the reply is a choice. `on`: see `choose_job`.
    """
    if isinstance(error, Ambiguous):
        return Reply(replies.choose_job(error.sentence, error.choices, with_word, error.created))
    id_ = correlation_id()
    details = f"; {error.details}" if isinstance(error, AnswerNotUnderstood) else ""
    log.warning("[%s] %s: %s%s", id_, ref or "no job", origin(error), details)
    return Reply(replies.error(error, ref, id_))


def internal_error_reply(error: Exception) -> Reply:
    """Return the reply for an internal error, and log its details."""
    id_ = correlation_id()
    log.error("[%s] request failed: %s", id_, origin(error))
    return Reply(replies.internal_error(id_))


def correlation_id() -> str:
    """Return a new correlation id."""
    return secrets.token_hex(4)
