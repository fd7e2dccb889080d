"""Maps the OIAP's error codes, which come with HTTP 200, to exceptions.

Codes: Huawei Cloud's AICC page cec_07_2000. No text of a response is shown: it may repeat a secret.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from bot.sdk import AnswerNotUnderstood, CredentialsRefused, JobNotFound, ProviderError, Unavailable
from plugins.selfhosted.session import AccountLocked, SessionEnded

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

CHECK_CREDENTIALS = (
    "The operator of this bot must check tenant_id and app_secret, the API password."
)
UNLOCK_ACCOUNT = f"{CHECK_CREDENTIALS} An administrator of the AICC can unlock the account."
OTHER_TENANT = "If it is right, tenant_id may be wrong."

_Meaning = tuple[type[ProviderError], str, str | None]

ERRORS_BY_CODE: dict[int, _Meaning] = {
    **dict.fromkeys(
        (900001, 900002), (SessionEnded, "does not accept even a new token", CHECK_CREDENTIALS)
    ),
    **dict.fromkeys(
        (200800001, 200800002),
        (CredentialsRefused, "does not accept tenant_id and app_secret", CHECK_CREDENTIALS),
    ),
    200800003: (AccountLocked, "has locked its account after too many wrong keys", UNLOCK_ACCOUNT),
    **dict.fromkeys((10000001, 200900002), (Unavailable, "is in trouble", None)),
    **dict.fromkeys(
        (10000002, 10000003, 200900003),
        (JobNotFound, "does not take this as a job's uid or name", OTHER_TENANT),
    ),
}
_UNDOCUMENTED: _Meaning = (AnswerNotUnderstood, "gave an error that is not documented", None)


def map_error(response: httpx.Response, name: str) -> ProviderError | None:
    """Return the exception for a response's error code, whatever its HTTP status."""
    code = _code(response.content)
    if code:
        log.info("%s: HTTP %d, errorCode %d", name, response.status_code, code)
        return error_for_code(code, name)
    if response.status_code == 404:
        return AnswerNotUnderstood(
            f"{name}: what answers is not the OIAP.",
            next_step="The operator of this bot must check url.",
        )
    return None


def map_sign_in_error(response: httpx.Response, name: str) -> ProviderError | None:
    """Return the exception for a response of gettoken, which names no job."""
    error = map_error(response, name)
    if isinstance(error, JobNotFound):
        return CredentialsRefused(
            f"{name} does not accept tenant_id and app_secret.", next_step=CHECK_CREDENTIALS
        )
    return error


def error_for_code(code: int, name: str) -> ProviderError:
    """Return the exception for a code."""
    kind, what, advice = ERRORS_BY_CODE.get(code, _UNDOCUMENTED)
    return kind(f"{name} {what} (errorCode {code}).", next_step=advice)


def _code(content: bytes) -> int:
    """Return a response's errorCode, or 0 if it has none."""
    try:
        body = json.loads(content)
        return int(body.get("errorCode") or 0) if isinstance(body, dict) else 0
    except (ValueError, TypeError, RecursionError):
        return 0
