"""Maps ServiceStage's error responses to exceptions.

Codes: ServiceStage's error codes page (servicestage_06_0162), written SVCSTG.00100 and a number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sdk import AnswerNotUnderstood, JobNotFound, ProviderError
from plugins.huaweicloud import errors

if TYPE_CHECKING:
    import httpx

BAD_PARAMETER = "SVCSTG.00100400"
NOT_FOUND = "SVCSTG.00100401"  # sent with HTTP 401, as the Terraform provider confirms
ID_FORMATS = {"job": "JOB and a UUID", "component": "application_id/component_id"}


def map_error(response: httpx.Response, name: str, what: str = "job") -> ProviderError | None:
    """Return the exception that an error response of ServiceStage or the gateway means, or None.

    `what` was requested: a job or a component.
    """
    status = response.status_code
    if status < 300:
        return None
    code = errors.parse_error_body(response.content).code
    if code == NOT_FOUND or (status == 404 and code.startswith("SVCSTG.")):
        return JobNotFound(f"{name} knows no such {what}.")
    if code == BAD_PARAMETER:
        return JobNotFound(
            f"{name} does not take this as a {what}'s id.",
            next_step=f"It must be {ID_FORMATS[what]}. If it is, project_id may be wrong.",
        )
    if status == 404 and not code:
        return AnswerNotUnderstood(
            f"{name}: what answers is not ServiceStage.",
            next_step="The operator of this bot must check region and endpoint.",
        )
    return errors.map_error(response, name)
