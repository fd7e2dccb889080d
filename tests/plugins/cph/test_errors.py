"""Errors of Cloud Phone Host's API."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from bot.sdk.errors import AccessDenied, AnswerNotUnderstood, JobNotFound, Unavailable
from plugins.cph import Cph
from tests.plugins.fixtures import huawei_cloud_fixture
from tests.plugins.huawei_cloud_suite import HuaweiCloudErrorSuite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.plugins.huawei_cloud_suite import CheckError, RecordedError

ID = "6837531fd3f54550927b930180a706bf"

provider = huawei_cloud_fixture(Cph)


class TestCphErrors(HuaweiCloudErrorSuite):
    """CPS.0003 is transient even with HTTP 400."""

    job_id = ID
    data = Path(__file__).parent / "data"
    recorded_errors: ClassVar[Sequence[RecordedError]] = (
        (403, "error_no_right", AccessDenied),
        (400, "error_bad_page", AnswerNotUnderstood),
        (400, "error_system", Unavailable),
        (500, "error_system", Unavailable),
        (404, "error_phone", JobNotFound),
        (403, "error_arrears", AccessDenied),
        (400, "error_unlisted", JobNotFound),
    )
    check_errors: ClassVar[Sequence[CheckError]] = (
        (403, {"error_code": "CPS.0001"}, AccessDenied),
    )
