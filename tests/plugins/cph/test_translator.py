"""Recorded Cloud Phone responses are translated into jobs."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.sdk.models import Job, JobRef, Status
from plugins.cph.translator import Answer, JobPayload, translate

RECORDED = Path(__file__).parent / "data"
REQUEST = "6837531fd3f54550927b930180a706bf"


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


def job(answer: Any, id_: str = REQUEST) -> Job:
    return translate(JobRef(connection="phones", id=id_), Answer.model_validate(answer).jobs)


def several(*numbers: Any, **fields: Any) -> Job:
    """Return the job of jobs with these statuses."""
    jobs = [{"status": n, "phone_id": f"p{i}", **fields} for i, n in enumerate(numbers)]
    return job({"jobs": jobs})


def test_documented_example_is_translated() -> None:
    """Two phones are two tasks; times are UTC."""
    seen = job(recorded("partial"))
    assert [task.name for task in seen.tasks] == [
        "1234567b8bab40ffb711234cb80d0234",
        "abc4567b8bab40ffb711234cb80d0abc",
    ]
    assert [task.status for task in seen.tasks] == [Status.FAILED, Status.SUCCEEDED]
    assert seen.started_at == datetime(2017, 10, 25, tzinfo=UTC)
    assert seen.finished_at == datetime(2017, 10, 25, 0, 0, 32, tzinfo=UTC)


def test_request_is_named_by_its_id() -> None:
    """The API has no name."""
    assert job(recorded("partial")).name == "request 6837531f"


def test_single_job_is_named_as_a_job() -> None:
    """Its id has the prefix jobs/."""
    payload = JobPayload.model_validate(recorded("single"))
    ref = JobRef(connection="phones", id=f"jobs/{payload.job_id}")
    assert translate(ref, [payload]).name == "job 1564567b"


def test_task_id_is_the_jobs_and_its_name_the_phones() -> None:
    """Ids identify tasks between polls; users know their phones."""
    task = job(recorded("partial")).tasks[0]
    assert task.id == "1564567b8bab40f34711234cb80d0123"


@pytest.mark.parametrize("code", ["CPS0005", "CPS.0005"])
def test_error_code_has_the_documented_spelling(code: str) -> None:
    """It can be looked up, whichever spelling is sent."""
    seen = several(-1, error_code=code, error_msg="Phone not found.")
    assert seen.tasks[0].message == "Phone not found. (CPS.0005)"


@pytest.mark.parametrize(
    ("numbers", "status", "native"),
    [
        ([1], Status.RUNNING, "running"),
        ([2, 2], Status.SUCCEEDED, "success"),
        ([-1, -1], Status.FAILED, "failure"),
        ([2, -1], Status.PARTIAL, ""),
        ([1, 2, -1], Status.RUNNING, "running"),
        ([2, 7], Status.UNKNOWN, "7"),
        ([-1, 7, 1], Status.RUNNING, "running"),
        (["2"], Status.SUCCEEDED, "success"),
    ],
)
def test_request_status_is_derived_from_its_jobs(
    numbers: list[Any], status: Status, native: str
) -> None:
    """It is active as long as one job may be, and PARTIAL if they ended differently."""
    seen = several(*numbers)
    assert (seen.status, seen.native_status) == (status, native)


def test_running_request_has_no_end() -> None:
    """Some of its jobs may have one; an absent or empty end means none."""
    seen = job(recorded("running"))
    assert seen.finished_at is None
    assert [task.finished_at is None for task in seen.tasks] == [False, True, False]


def test_job_output_is_the_tasks_message() -> None:
    """It follows the failure reason."""
    messages = [task.message for task in job(recorded("running")).tasks]
    assert messages == [
        "Success",
        "",
        (
            "Service internal error. (CPS.0003)\n"
            "adb: failed to install shop.apk: Failure [INSTALL_FAILED_INSUFFICIENT_STORAGE]"
        ),
    ]


def test_each_reason_is_listed_once() -> None:
    """It has the number of jobs that failed for it."""
    seen = several(-1, -1, error_code="CPS.0005", error_msg="Phone not found.")
    assert seen.message == "2 of 2: Phone not found. (CPS.0005)"


def test_many_reasons_are_truncated() -> None:
    """The job lists five; each task has its own."""
    jobs = [{"status": -1, "phone_id": str(n), "error_msg": f"Reason {n}."} for n in range(8)]
    assert job({"jobs": jobs}).message.splitlines()[-1] == "and 3 more reasons"


def test_request_of_one_job_has_its_message() -> None:
    """It shows the output of a command."""
    seen = job({"jobs": [recorded("single")]})
    assert "load average" in seen.message


def test_phones_and_servers_are_counted() -> None:
    """A single server is named."""
    details = {d.label: d.value for d in job(recorded("partial")).details}
    assert details == {"Phones": "2", "Server": "1e223c8e-3ad0-4bf0-a837-bc90d4f91d01"}
    assert {d.label: d.value for d in job(recorded("running")).details} == {
        "Phones": "3",
        "Servers": "2",
    }


def test_job_on_a_server_is_named_by_the_server() -> None:
    """It names no phone."""
    seen = job({"jobs": [{"status": 2, "server_id": "1e223c8e"}]})
    assert seen.tasks[0].name == "1e223c8e"


def test_response_order_does_not_matter() -> None:
    """A card must not change because a batch response has another order."""
    answer = recorded("running")
    turned = {"jobs": answer["jobs"][::-1]}
    assert job(turned) == job(answer)


def test_job_with_an_error_but_no_status_has_failed() -> None:
    """It was rejected when it was requested."""
    assert several(None, error_code="CPS.0004").status is Status.FAILED


@pytest.mark.parametrize("value", [None, "", "soon", 0, {}])
def test_invalid_time_is_none(value: Any) -> None:
    """A running job has no end."""
    assert several(2, end_time=value).finished_at is None


@pytest.mark.parametrize("answer", [{}, {"jobs": [{}]}, {"jobs": 7}, {"request_id": "x"}, []])
def test_response_without_jobs_is_not_understood(answer: Any) -> None:
    """Another shape is an error, not an empty request."""
    with pytest.raises(ValidationError):
        Answer.model_validate(answer)
