"""What Huawei Cloud's error bodies mean, in our errors.

Codes: Huawei Cloud's API signing guide (devg-apisign, api-sign-errorcode). Services write them
APIGW.0308 or APIG.0308, and their keys in several ways; every way that is known is read here.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.errors import (
    AccessDenied,
    AnswerNotUnderstood,
    CredentialsRefused,
    ProviderError,
    RateLimited,
    Unavailable,
)
from bot.providers.http import retry_after

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

CODE_KEYS = ("errorcode", "code")
MESSAGE_KEYS = ("errormsg", "errormessage", "message", "detail")
UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}  # in seconds

_CODE = re.compile(r"[A-Z]{2,12}\.?[0-9]{1,12}")
_WINDOW = re.compile(r"time:\s*([0-9]{1,6})\s*(second|minute|hour|day)")

REFUSED = frozenset({"APIGW.0301", "APIGW.0303", "APIGW.0305", "APIGW.0307"})

_MEANINGS: dict[str, tuple[type[ProviderError], str, str]] = {
    "APIGW.0101": (
        AnswerNotUnderstood,
        "has no such API",
        "Whoever runs this bot must check region and endpoint; the API may also have been retired.",
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
        "Whoever runs this bot must give its IAM user the right to.",
    ),
)
_DOWN = frozenset({"APIGW.0601", "APIGW.0605", "APIGW.0606", "APIGW.0613"})


@dataclass(frozen=True)
class ErrorBody:
    """What an error body says; empty where it says nothing. Never shown: it is not ours."""

    code: str = ""
    message: str = ""
    request_id: str = ""

    @property
    def gateway(self) -> bool:
        """Whether the gateway says it, not the service behind it."""
        return self.code.startswith("APIGW.")


def read(content: bytes) -> ErrorBody:
    """Return what an answer's body says of an error, wherever it says it."""
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


def explain(response: httpx.Response, name: str) -> ProviderError | None:
    """Return the error that the gateway means, or None if the gateway says nothing."""
    if response.status_code < 300:
        return None
    said = read(response.content)
    log.info("%s: HTTP %d, code %r", name, response.status_code, said.code)
    if response.status_code == 494:
        return CredentialsRefused(f"{name}: the token is longer than Huawei Cloud's gateway takes.")
    return _meaning(said, response, name) if said.gateway else None


def _meaning(said: ErrorBody, response: httpx.Response, name: str) -> ProviderError | None:
    if said.code == "APIGW.0308":
        wait = retry_after(response, window(said.message))
        return RateLimited(f"{name} is busy: too many calls ({said.code}).", retry_after=wait)
    if said.code in REFUSED:
        return CredentialsRefused(f"{name} does not accept the credentials ({said.code}).")
    if said.code in _DOWN:
        return Unavailable(f"{name}: Huawei Cloud's gateway is in trouble ({said.code}).")
    if said.code in _MEANINGS:
        kind, what, advice = _MEANINGS[said.code]
        return kind(f"{name}: Huawei Cloud {what} ({said.code}).", next_step=advice)
    return None


async def refuses_credentials(response: httpx.Response) -> bool:
    """Tell whether the gateway, or a page without a code, refuses who asks.

    A 401 with a service's own code is the service's to explain: SVCSTG.00100401 means "not found".
    """
    if response.status_code != 401:
        return False
    said = read(await response.aread())
    return said.gateway or not said.code


def window(message: str, default: float = 30.0) -> float:
    """Return the seconds of the window in "…over ratelimit,limit:200,time:5 minute"."""
    found = _WINDOW.search(message)
    return min(3600.0, max(1.0, int(found[1]) * UNITS[found[2]])) if found else default


def _first(levels: list[dict[str, Any]], keys: tuple[str, ...]) -> str:
    """Return the first value under one of the keys, however they are written."""
    for level in levels:
        plain = {str(key).lower().replace("_", ""): value for key, value in level.items()}
        for key in keys:
            if isinstance(plain.get(key), str | int):
                return str(plain[key])
    return ""


def _code(text: str) -> str:
    """Return a code in its usual spelling; what does not look like one is dropped."""
    if text.isdigit():
        return text[:12]
    return text.replace("APIG.", "APIGW.", 1) if _CODE.fullmatch(text) else ""
