"""Maps AOM's error responses to exceptions.

Codes: the error examples on AOM's pages of workflows and executions. They have two shapes:
`error_message` with the string `http_code` or `htp_code`, and `error_msg` with a number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sdk import (
    AccessDenied,
    AnswerNotUnderstood,
    CredentialsRefused,
    JobNotFound,
    ProviderError,
    Unavailable,
)
from plugins.huaweicloud import errors

if TYPE_CHECKING:
    import httpx

SHUTDOWN_NOTICE = (
    "Huawei Cloud has announced that AOM's automation goes offline, and only some regions had it. "
    "The operator of this bot must check region and endpoint; if both are right, it has ended."
)
NO_SUCH_API = "APIGW.0101"
_IDS = "Check the workflow's id and the execution's, and that both belong to this connection."

_ERRORS_BY_CODE: dict[str, tuple[type[ProviderError], str, str]] = {
    "AOM.31001306": (JobNotFound, "knows no such workflow", JobNotFound.next_step),
    "AOM.31001403": (JobNotFound, "knows no such execution", _IDS),
    "AOM.31001405": (Unavailable, "is in trouble", Unavailable.next_step),
    "AOM.31009004": (
        CredentialsRefused,
        "does not accept the credentials",
        "The operator of this bot must check them, and that project_id belongs to the region.",
    ),
    "AOM.30001005": (
        AccessDenied,
        "does not let this account read executions",
        "The operator of this bot must give its IAM user cms:execution:get.",
    ),
}


def map_error(response: httpx.Response, name: str) -> ProviderError | None:
    """Return the exception that an error response of AOM or the gateway means, or None."""
    status = response.status_code
    if status < 300:
        return None
    code = errors.parse_error_body(response.content).code
    if code in _ERRORS_BY_CODE:
        kind, what, advice = _ERRORS_BY_CODE[code]
        return kind(f"{name}: AOM {what} ({code}).", next_step=advice)
    if status == 410 or code == NO_SUCH_API or (status == 404 and not code):
        said = f" ({code})" if code else f" (HTTP {status})"
        return AnswerNotUnderstood(
            f"{name}: there is no such API{said}.", next_step=SHUTDOWN_NOTICE
        )
    return errors.map_error(response, name)
