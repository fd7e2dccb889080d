"""Troubles: what an error says to the asker, and to the log under the same id."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING

from bot import answers
from bot.errors import Ambiguous, AnswerNotUnderstood, trail
from bot.parts import Say

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.errors import JobthreadError
    from bot.models import JobRef

log = logging.getLogger(__name__)


def told(error: JobthreadError, ref: JobRef | None, on: Callable[[str], str] = str) -> Say:
    """Return the sentence for an error, and put its details into the log under the same id.

    Where a reference can mean several jobs, the answer is to choose one; `on` as of `choose`.
    """
    if isinstance(error, Ambiguous):
        return Say(answers.choose(error.sentence, error.choices, on, error.created))
    id_ = log_id()
    more = f"; {error.details}" if isinstance(error, AnswerNotUnderstood) else ""
    log.warning("[%s] %s: %s%s", id_, ref or "no job", trail(error), more)
    return Say(answers.error(error, ref, id_))


def unexpected(error: Exception) -> Say:
    """Return the answer for a fault of our own, and put its details into the log."""
    id_ = log_id()
    log.error("[%s] an answer failed: %s", id_, trail(error))
    return Say(answers.trouble(id_))


def log_id() -> str:
    """Return a new id by which a line of the log can be found."""
    return secrets.token_hex(4)
