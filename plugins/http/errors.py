"""Maps responses to exceptions by the settings `not_found` and `error_code`."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

from pydantic import RootModel, ValidationError

from bot.sdk import (
    AccessDenied,
    AnswerNotUnderstood,
    CredentialsRefused,
    JobNotFound,
    ProviderError,
    RateLimited,
    Unavailable,
    retry_after,
)
from plugins.http.coercion import to_word
from plugins.http.expressions import find

if TYPE_CHECKING:
    import httpx

    from plugins.http.settings import HttpSettings

log = logging.getLogger(__name__)

SUCCESS_CODES = frozenset({"", "0", "false"})  # codes of a success, unless the settings list them
_SENTENCES: dict[str, tuple[type[ProviderError], str]] = {
    "not_found": (JobNotFound, "{name} knows no such job."),
    "denied": (AccessDenied, "{name} does not let this bot see the job."),
    "credentials": (CredentialsRefused, "{name} does not accept the credentials set for it."),
    "down": (Unavailable, "{name} is in trouble."),
}
_NEW = "The operator of this bot finds its code in the log, and can list it in error_codes."
_CODE = re.compile(r"[\w.:-]{1,60}")  # a code that may be logged; other values may be texts


class Answer(RootModel[Any]):
    """Any JSON; the settings' expressions say where its values are."""


def map_error(response: httpx.Response, settings: HttpSettings, name: str) -> ProviderError | None:
    """Return the exception by `not_found` and `error_code`, or None if neither applies."""
    if not (settings.not_found or settings.error_code):
        return None
    try:
        answer = Answer.model_validate_json(response.content).root
    except ValidationError:
        return None
    result = error_meaning(answer, settings)
    if result == "unlisted":
        _log_unlisted(answer, settings, name)
    elif result != "ok":
        return _error(result, response, name)
    if response.status_code in (401, 403, 429) or response.status_code >= 500:
        return None  # `not_found` may match these responses too, but their status is more precise
    if find(settings.not_found, answer):
        return _error("not_found", response, name)
    return _error(result, response, name) if response.status_code < 300 else None


def error_code(answer: Any, settings: HttpSettings) -> str:
    """Return the API's own error code; empty if there is none."""
    return to_word(find(settings.error_code, answer))


def error_meaning(answer: Any, settings: HttpSettings) -> str:
    """Return the meaning of the response's code by `error_codes`; "ok" or "unlisted" otherwise."""
    own = error_code(answer, settings)
    return settings.error_codes.get(own, "ok" if own in SUCCESS_CODES else "unlisted")


def _log_unlisted(answer: Any, settings: HttpSettings, name: str) -> None:
    """Log a new code, unless it may be a text or a secret."""
    own = error_code(answer, settings)
    safe = _CODE.fullmatch(own) and not any(secret in own for secret in settings.secrets)
    log.warning("%s returned error code %s", name, own if safe else "(redacted)")


def _error(result: str, response: httpx.Response, name: str) -> ProviderError | None:
    """Return the exception for a meaning, or None if it is "ok"."""
    if result == "busy":
        return RateLimited(f"{name} is busy.", retry_after=retry_after(response))
    if result == "unlisted":
        return AnswerNotUnderstood(f"{name} answered with an error of its own.", next_step=_NEW)
    if result not in _SENTENCES:
        return None
    kind, sentence = _SENTENCES[result]
    return kind(sentence.format(name=name))
