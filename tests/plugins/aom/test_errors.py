"""Errors of AOM's API."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from bot.sdk.errors import AccessDenied, CredentialsRefused, JobNotFound, Unavailable
from plugins.aom import Aom
from tests.plugins.fixtures import huawei_cloud_fixture
from tests.plugins.huawei_cloud_suite import HuaweiCloudErrorSuite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.plugins.huawei_cloud_suite import CheckError, RecordedError

WORKFLOW = "4f1d7c0e92ab46d8b35e60c1a7f8d294"
EXECUTION = "0b6e4d92-1c35-47fa-92d8-5af310c7e684"
ID = f"{WORKFLOW}/{EXECUTION}"

provider = huawei_cloud_fixture(Aom)


class TestAomErrors(HuaweiCloudErrorSuite):
    """Numbers in an error may be strings or not."""

    job_id = ID
    data = Path(__file__).parent / "data"
    recorded_errors: ClassVar[Sequence[RecordedError]] = (
        (400, "error_parameter", JobNotFound),
        (404, "error_no_workflow", JobNotFound),
        (401, "error_auth", CredentialsRefused),
        (401, "error_auth_as_number", CredentialsRefused),
        (403, "error_no_right", AccessDenied),
        (500, "error_internal", Unavailable),
    )
    check_errors: ClassVar[Sequence[CheckError]] = (
        (401, {"error_code": "AOM.31009004", "http_code": "401"}, CredentialsRefused),
    )
