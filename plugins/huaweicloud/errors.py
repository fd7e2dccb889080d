"""Parses Huawei Cloud's error bodies and maps gateway errors to exceptions.

Codes: Huawei Cloud's API signing guide (devg-apisign, api-sign-errorcode). Services write them
APIGW.0308 or APIG.0308, and spell the keys in several ways; all known spellings are parsed.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.sdk import (
    AccessDenied,
    AnswerNotUnderstood,
    CredentialsRefused,
    ProviderError,
    RateLimited,
    Unavailable,
    retry_after,
)

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

CODE_KEYS = ("errorcode", "code")
MESSAGE_KEYS = ("errormsg", "errormessage", "message", "detail")
SECONDS_PER_UNIT = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}  # in seconds

_CODE = re.compile(r"[A-Z]{2,12}\.?[0-9]{1,12}")
_WINDOW = re.compile(r"time:\s*([0-9]{1,6})\s*(second|minute|hour|day)")

REJECTED_CODES = frozenset({"APIGW.0301", "APIGW.0303", "APIGW.0305", "APIGW.0307"})

_ERRORS_BY_CODE: dict[str, tuple[type[ProviderError], str, str]] = {
    "APIGW.0101": (
        AnswerNotUnderstood,
        "has no such API",
        (
            "The operator of this bot must check region and endpoint;"
            " the API may also have been retired."
        ),
    ),
    "APIGW.0310": (AccessDenied, "cannot be used for this project", "Check project_id."),
    "APIGW.0801": (AccessDenied, "cannot be used in this region", "Check region."),
    "APIGW.0802": (AccessDenied, "does not let this account into the region", "Check region."),
    "APIGW.0502": (AccessDenied, "has frozen this account", "Its bills may be in arrears."),
} | dict.fromkeys(
    ("APIGW.0302", "APIGW.0306"),
    (
        AccessDenied,
        "does not let this account read jobs",
        "The operator of this bot must give its IAM user the right to.",
    ),
)
_UNAVAILABLE = frozenset({"APIGW.0601", "APIGW.0605", "APIGW.0606", "APIGW.0613"})


@dataclass(frozen=True)
class ErrorBody:
    """A parsed error body; missing values are empty. Not shown to users: the text is foreign."""

    code: str = ""
    message: str = ""
    request_id: str = ""

    @property
    def from_gateway(self) -> bool:
        """Whether the error comes from the gateway and not from the service behind it."""
        return self.code.startswith("APIGW.")


def parse_error_body(content: bytes) -> ErrorBody:
    """Return the error that a response body holds, at the top level or one level below."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return ErrorBody()
    if not isinstance(body, dict):
        return ErrorBody()
    levels = [body, *(value for value in body.values() if isinstance(value, dict))]
    return ErrorBody(
        code=_code(_first(levels, CODE_KEYS)),
        message=_first(levels, MESSAGE_KEYS),
        request_id=_first(levels, ("requestid",)),
    )


def map_error(response: httpx.Response, name: str) -> ProviderError | None:
    """Return the exception for a gateway error, or None if the gateway reports none."""
    if response.status_code < 300:
        return None
    body = parse_error_body(response.content)
    log.info("%s: HTTP %d, code %r", name, response.status_code, body.code)
    if response.status_code == 494:
        return CredentialsRefused(f"{name}: the token is longer than Huawei Cloud's gateway takes.")
    return _error_for(body, response, name) if body.from_gateway else None


def _error_for(body: ErrorBody, response: httpx.Response, name: str) -> ProviderError | None:
    if body.code == "APIGW.0308":
        wait = retry_after(response, throttling_seconds(body.message))
        return RateLimited(f"{name} is busy: too many calls ({body.code}).", retry_after=wait)
    if body.code in REJECTED_CODES:
        return CredentialsRefused(f"{name} does not accept the credentials ({body.code}).")
    if body.code in _UNAVAILABLE:
        return Unavailable(f"{name}: Huawei Cloud's gateway is in trouble ({body.code}).")
    if body.code in _ERRORS_BY_CODE:
        kind, what, advice = _ERRORS_BY_CODE[body.code]
        return kind(f"{name}: Huawei Cloud {what} ({body.code}).", next_step=advice)
    return None


async def rejects_credentials(response: httpx.Response) -> bool:
    """Return whether the gateway, or a response without an error code, rejects the credentials.

    A 401 with a service's own code is mapped by the service: SVCSTG.00100401 means "not found".
    """
    if response.status_code != 401:
        return False
    body = parse_error_body(await response.aread())
    return body.from_gateway or not body.code


def throttling_seconds(message: str, default: float = 30.0) -> float:
    """Return the seconds of the window in "…over ratelimit,limit:200,time:5 minute"."""
    found = _WINDOW.search(message)
    return min(3600.0, max(1.0, int(found[1]) * SECONDS_PER_UNIT[found[2]])) if found else default


def _first(levels: list[dict[str, Any]], keys: tuple[str, ...]) -> str:
    """Return the first value under one of the keys, in any spelling."""
    for level in levels:
        plain = {str(key).lower().replace("_", ""): value for key, value in level.items()}
        for key in keys:
            if isinstance(plain.get(key), str | int):
                return str(plain[key])
    return ""


def _code(text: str) -> str:
    """Return a code in its usual spelling, or "" if the text does not look like a code."""
    if text.isdigit():
        return text[:12]
    return text.replace("APIG.", "APIGW.", 1) if _CODE.fullmatch(text) else ""
