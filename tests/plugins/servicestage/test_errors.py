"""Errors of ServiceStage's API."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from bot.sdk.errors import AccessDenied, JobNotFound
from plugins.servicestage import ServiceStage
from tests.plugins.fixtures import huawei_cloud_fixture
from tests.plugins.huawei_cloud_suite import HuaweiCloudErrorSuite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.plugins.huawei_cloud_suite import RecordedError

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"

provider = huawei_cloud_fixture(ServiceStage)


class TestServiceStageErrors(HuaweiCloudErrorSuite):
    """ "Not found" may have HTTP 401."""

    job_id = ID
    data = Path(__file__).parent / "data"
    recorded_errors: ClassVar[Sequence[RecordedError]] = (
        (404, "error_not_found", JobNotFound),
        (401, "error_not_found_as_401", JobNotFound),
        (400, "error_bad_parameter", JobNotFound),
        (403, "error_no_right", AccessDenied),
    )
