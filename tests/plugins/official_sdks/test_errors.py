"""Huawei Cloud's official SDKs report the same errors as the bot."""

from typing import Any

import pytest

from bot.sdk.errors import AccessDenied, CredentialsRefused, JobNotFound, RateLimited, Unavailable
from bot.sdk.testing import Fault

pytestmark = [
    pytest.mark.official_sdks,
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning"),
]

REQUEST = "6837531fd3f54550927b930180a706bf"
WORKFLOW = "4f1d7c0e92ab46d8b35e60c1a7f8d294"
MISSING_JOB = "JOB5e0c73b9-16fa-4d28-93e7-fb24a8d1605c"


@pytest.mark.parametrize(
    ("fault", "code", "kind"),
    [
        (Fault(403, {"error_code": "CPS.0001", "error_msg": "No."}), "CPS.0001", AccessDenied),
        (Fault(400, {"error_code": "CPS.0003", "error_msg": "No."}), "CPS.0003", Unavailable),
        (Fault(404, {"error_code": "CPS.0005", "error_msg": "No."}), "CPS.0005", JobNotFound),
        (Fault(403, {"error_code": "APIGW.0302", "error_msg": "No."}), "APIGW.0302", AccessDenied),
        (Fault(503, {"error_code": "APIGW.0613", "error_msg": "No."}), "APIGW.0613", Unavailable),
    ],
)
async def test_cph_errors_are_the_same(
    sdk: Any, cph: Any, fault: Fault, code: str, kind: type[Exception]
) -> None:
    """The SDK reads the code that the bot maps."""
    cph.simulator.faults.plan(fault, times=None)
    with pytest.raises(sdk.errors.ServiceResponseException) as theirs:
        await cph.sdk("list_jobs", sdk.cph.ListJobsRequest(request_id=REQUEST))
    assert (theirs.value.status_code, theirs.value.error_code) == (fault.status, code)
    with pytest.raises(kind):
        await cph.bot(REQUEST)


async def test_missing_request_is_an_empty_list_to_the_sdk(sdk: Any, cph: Any) -> None:
    """The bot reports it as not found."""
    theirs = await cph.sdk("list_jobs", sdk.cph.ListJobsRequest(request_id=REQUEST))
    assert theirs.jobs == []
    with pytest.raises(JobNotFound):
        await cph.bot(REQUEST)


async def test_servicestage_missing_job_is_the_same(sdk: Any, servicestage: Any) -> None:
    """Both read ServiceStage's own code."""
    with pytest.raises(sdk.errors.ServiceResponseException) as theirs:
        await servicestage.sdk(
            "show_job_info", sdk.servicestage.ShowJobInfoRequest(job_id=MISSING_JOB)
        )
    assert theirs.value.error_code == "SVCSTG.00100429"
    with pytest.raises(JobNotFound):
        await servicestage.bot(MISSING_JOB)


async def test_aom_missing_workflow_is_the_same(sdk: Any, aom: Any) -> None:
    """The SDK reads this error's shape."""
    with pytest.raises(sdk.errors.ServiceResponseException) as theirs:
        await aom.sdk("list_workflow_executions", sdk.aom.ListWorkflowExecutionsRequest(WORKFLOW))
    assert theirs.value.error_code == "AOM.31001306"
    with pytest.raises(JobNotFound):
        await aom.bot(WORKFLOW)


async def test_bot_reads_an_error_that_the_sdk_cannot(sdk: Any, aom: Any) -> None:
    """`error_message` and `htp_code`: to the SDK, the code is the HTTP status."""
    request = sdk.aom.SearchWorkflowExecutionDetailRequest(WORKFLOW, "e")
    with pytest.raises(sdk.errors.ServiceResponseException) as theirs:
        await aom.sdk("search_workflow_execution_detail", request)
    assert theirs.value.error_code == "400"
    with pytest.raises(JobNotFound):
        await aom.bot(f"{WORKFLOW}/e")


async def test_wrong_secret_is_rejected_for_both(sdk: Any, cph_with_a_wrong_secret: Any) -> None:
    """The gateway checks both signatures by the same rules."""
    both = cph_with_a_wrong_secret
    with pytest.raises(sdk.errors.ServiceResponseException) as theirs:
        await both.sdk("list_jobs", sdk.cph.ListJobsRequest(request_id=REQUEST))
    assert (theirs.value.status_code, theirs.value.error_code) == (401, "APIGW.0301")
    with pytest.raises(CredentialsRefused):
        await both.bot(REQUEST)


async def test_both_are_throttled_and_the_bot_knows_the_wait(sdk: Any, cph: Any) -> None:
    """The SDK drops the window that the gateway states."""
    cph.simulator.gateway.max_calls = 0
    with pytest.raises(sdk.errors.SdkException) as theirs:
        await cph.sdk("list_jobs", sdk.cph.ListJobsRequest(request_id=REQUEST))
    assert "429" in str(theirs.value)
    assert "5 minute" not in str(theirs.value)
    with pytest.raises(RateLimited) as ours:
        await cph.bot(REQUEST)
    assert ours.value.retry_after == 300
