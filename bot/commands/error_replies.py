"""Error → reply, logged under one correlation id."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING

from bot.commands import replies
from bot.commands.actions import Say
from bot.sdk.errors import Ambiguous, AnswerNotUnderstood, trail

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.sdk.errors import JobthreadError
    from bot.sdk.models import JobRef

log = logging.getLogger(__name__)


def told(error: JobthreadError, ref: JobRef | None, on: Callable[[str], str] = str) -> Say:
    """Return the reply to an error, and log its details under the same correlation id.

    An ambiguous reference is not logged: the reply is a choice. `on`: see `choose_job`.
    """
    if isinstance(error, Ambiguous):
        return Say(replies.choose(error.sentence, error.choices, on, error.created))
    id_ = log_id()
    details = f"; {error.details}" if isinstance(error, AnswerNotUnderstood) else ""
    log.warning("[%s] %s: %s%s", id_, ref or "no job", trail(error), details)
    return Say(replies.error(error, ref, id_))


def unexpected(error: Exception) -> Say:
    """Return the reply for an internal error, and log its details."""
    id_ = log_id()
    log.error("[%s] request failed: %s", id_, trail(error))
    return Say(replies.trouble(id_))


def log_id() -> str:
    """Return a new correlation id."""
    return secrets.token_hex(4)
