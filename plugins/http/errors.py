"""What an answer means where the API says more than its HTTP status does, in our errors."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

from pydantic import RootModel, ValidationError

from bot.errors import (
    AccessDenied,
    AnswerNotUnderstood,
    CredentialsRefused,
    JobNotFound,
    ProviderError,
    RateLimited,
    Unavailable,
)
from bot.providers.http import retry_after
from plugins.http.expressions import find
from plugins.http.values import word

if TYPE_CHECKING:
    import httpx

    from plugins.http.settings import HttpSettings

log = logging.getLogger(__name__)

NO_ERROR = frozenset({"", "0", "false"})  # codes that say that all is well, if not listed
_SENTENCES: dict[str, tuple[type[ProviderError], str]] = {
    "not_found": (JobNotFound, "{name} knows no such job."),
    "denied": (AccessDenied, "{name} does not let this bot see the job."),
    "credentials": (CredentialsRefused, "{name} does not accept the credentials set for it."),
    "down": (Unavailable, "{name} is in trouble."),
}
_NEW = "Whoever runs this bot finds its code in the log, and can list it in error_codes."
_CODE = re.compile(r"[\w.:-]{1,60}")  # a code that may be logged; anything else is a text


class Answer(RootModel[Any]):
    """Any JSON at all: the settings say where in it something stands."""


def explain(response: httpx.Response, settings: HttpSettings, name: str) -> ProviderError | None:
    """Return the error that an answer means by `not_found` and `error_code`; None: no such one."""
    if not (settings.not_found or settings.error_code):
        return None
    try:
        answer = Answer.model_validate_json(response.content).root
    except ValidationError:
        return None
    means = meaning(answer, settings)
    if means == "unlisted":
        _note(answer, settings, name)
    elif means != "ok":
        return _error(means, response, name)
    if response.status_code in (401, 403, 429) or response.status_code >= 500:
        return None  # such answers hold no job either, and `not_found` may well be true of them
    if find(settings.not_found, answer):
        return _error("not_found", response, name)
    return _error(means, response, name) if response.status_code < 300 else None


def code(answer: Any, settings: HttpSettings) -> str:
    """Return the API's own error code, empty if there is none."""
    return word(find(settings.error_code, answer))


def meaning(answer: Any, settings: HttpSettings) -> str:
    """Return a code's meaning by `error_codes`; ok if it is no error, unlisted if it is new."""
    own = code(answer, settings)
    return settings.error_codes.get(own, "ok" if own in NO_ERROR else "unlisted")


def _note(answer: Any, settings: HttpSettings, name: str) -> None:
    """Log a new code, unless it may be a text or a secret."""
    own = code(answer, settings)
    safe = _CODE.fullmatch(own) and not any(secret in own for secret in settings.secrets)
    log.warning("%s answered with its error code %s", name, own if safe else "(not shown)")


def _error(means: str, response: httpx.Response, name: str) -> ProviderError | None:
    """Return the error of a meaning; None if it is ok."""
    if means == "busy":
        return RateLimited(f"{name} is busy.", retry_after=retry_after(response))
    if means == "unlisted":
        return AnswerNotUnderstood(f"{name} answered with an error of its own.", next_step=_NEW)
    if means not in _SENTENCES:
        return None
    kind, sentence = _SENTENCES[means]
    return kind(sentence.format(name=name))
