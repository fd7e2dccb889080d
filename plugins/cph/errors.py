"""Maps Cloud Phone's error responses to exceptions.

Codes: Cloud Phone's pages on abnormal responses (cph_api_0602) and error codes (cph_api_0604). They
are written CPS.0005, and in one example CPS0005.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.sdk import AccessDenied, AnswerNotUnderstood, JobNotFound, ProviderError, Unavailable
from plugins.huaweicloud import errors

if TYPE_CHECKING:
    import httpx

_NO_DOT = re.compile(r"CPS(?=[0-9])")
_NOT_FOUND: tuple[type[ProviderError], str, str] = (
    JobNotFound,
    "knows no such phone or server",
    "It may have been deleted.",
)
_ERRORS_BY_CODE: dict[str, tuple[type[ProviderError], str, str]] = {
    "CPS.0001": (
        AccessDenied,
        "does not let this account read jobs",
        "The operator of this bot must give its IAM user cph:jobs:list and cph:jobs:get.",
    ),
    "CPS.0002": (
        AnswerNotUnderstood,
        "does not take the page that it was asked for",
        "The operator of this bot finds the call in the log.",
    ),
    "CPS.0003": (  # sent with HTTP 500 or 400
        Unavailable,
        "is in trouble",
        Unavailable.next_step,
    ),
    "CPS.0004": _NOT_FOUND,
    "CPS.0005": _NOT_FOUND,
    "CPS.0006": (AccessDenied, "is closed to this account", "Its bills may be in arrears."),
    "CPS.0007": (AccessDenied, "has frozen what the job is about", "Bills may be in arrears."),
    "CPS.0016": _NOT_FOUND,
    "CPS.0097": _NOT_FOUND,
}


def normalize_code(code: str) -> str:
    """Return a code in the spelling of the documentation's tables."""
    return _NO_DOT.sub("CPS.", code, count=1)


def map_error(response: httpx.Response, name: str) -> ProviderError | None:
    """Return the exception that an error response of Cloud Phone or the gateway means, or None."""
    status = response.status_code
    if status < 300:
        return None
    code = normalize_code(errors.parse_error_body(response.content).code)
    if code in _ERRORS_BY_CODE:
        kind, what, advice = _ERRORS_BY_CODE[code]
        return kind(f"{name}: Cloud Phone {what} ({code}).", next_step=advice)
    if status in (400, 404) and code.startswith("CPS."):
        return JobNotFound(f"{name} knows no such request or job ({code}).")
    if status == 404 and not code:
        return AnswerNotUnderstood(
            f"{name}: what answers is not Cloud Phone.",
            next_step="The operator of this bot must check region and endpoint.",
        )
    return errors.map_error(response, name)
