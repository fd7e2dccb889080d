"""Maps NebulaGraph Explorer's error codes to exceptions.

Codes: NebulaGraph's page "Workflow API overview". Their first three digits are an HTTP status, but
whether they are sent with it is not documented: the code takes precedence. No text of a response is
shown: it may repeat a secret.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from bot.sdk import (
    AccessDenied,
    AnswerNotUnderstood,
    CredentialsRefused,
    JobNotFound,
    ProviderError,
    Unavailable,
)
from plugins.selfhosted.session import SessionEnded

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

log = logging.getLogger(__name__)

CHECK_CREDENTIALS = (
    "The operator of this bot must check user and password, and that Explorer reaches the graph at"
    " graph_address and graph_port."
)

ERRORS_BY_CODE: dict[int, tuple[type[ProviderError], str, str | None]] = {
    40004000: (JobNotFound, "does not take this as a job's id", "It is a whole number."),
    40004001: (JobNotFound, "does not take this as a job's id", "It is a whole number."),
    40104000: (CredentialsRefused, "does not let this account in", CHECK_CREDENTIALS),
    40104001: (SessionEnded, "does not accept even a new session", CHECK_CREDENTIALS),
    40304000: (AccessDenied, "does not let this account read jobs", None),
    40404000: (JobNotFound, "knows no such job", None),
    50004000: (Unavailable, "is in trouble", None),
    50004001: (Unavailable, "cannot use its database", None),
    50004002: (Unavailable, "cannot reach its Dag Controller", None),
    50004003: (AccessDenied, "has no valid licence", "The operator of Explorer must renew it."),
    90004000: (Unavailable, "met an error that it does not know", None),
}
_BY_CATEGORY = {400: 40004000, 401: 40104000, 403: 40304000, 404: 40404000, 500: 50004000}


def map_error(response: httpx.Response, name: str) -> ProviderError | None:
    """Return the exception for a response's error code, whatever its HTTP status."""
    code = error_code(response)
    if code:
        log.info("%s: HTTP %d, code %d", name, response.status_code, code)
        return error_for_code(code, name)
    if response.status_code == 404:
        return AnswerNotUnderstood(
            f"{name}: what answers has no workflow API.",
            next_step="The operator of this bot must check url; since Explorer 3.4 its page"
            " Workflow must also be switched on.",
        )
    return None


def error_for_code(code: int, name: str) -> ProviderError:
    """Return the exception for a code; a new code is mapped by its first three digits."""
    known = code if code in ERRORS_BY_CODE else _BY_CATEGORY.get(code // 100_000, 0)
    if not known:
        return AnswerNotUnderstood(f"{name} gave an error that is not documented (code {code}).")
    kind, what, advice = ERRORS_BY_CODE[known]
    return kind(f"{name} {what} (code {code}).", next_step=advice)


class SignInRejected(ProviderError):
    """Explorer rejects the sign-in with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"The sign-in is rejected (code {code}).")
        self.code = code


def map_sign_in_error(response: httpx.Response, name: str) -> ProviderError | None:
    """Return NotIn if a sign-in response is an error, with or without a code."""
    by_status = {400: 40004000, 401: 40104000}.get(response.status_code, 0)
    code = error_code(response) or by_status
    return SignInRejected(code) if code else map_error(response, name)


def sign_in_error(codes: Sequence[int], name: str) -> ProviderError:
    """Return the exception for the codes of all attempts: server errors count before rejections."""
    log.info("%s: sign-in failed with codes %s", name, codes)
    error = error_for_code(max(codes), name)
    if isinstance(error, JobNotFound | SessionEnded):  # a sign-in names no job
        return error_for_code(40104000, name)
    return error


def error_code(response: httpx.Response) -> int:
    """Return a response's error code, or 0 if it has none."""
    try:
        body = json.loads(response.content)
        return int(body.get("code") or 0) if isinstance(body, dict) else 0
    except (ValueError, TypeError, RecursionError):
        return 0
