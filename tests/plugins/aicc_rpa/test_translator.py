"""Recorded RPA responses are translated into jobs."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from bot.sdk.models import Job, JobRef, Status
from bot.sdk.timestamps import parse_time
from bot.tracking import job_changes
from plugins.aicc_rpa.api import Details, QueuePage
from plugins.aicc_rpa.translator import translate

RECORDED = Path(__file__).parent / "data"
SHANGHAI = ZoneInfo("Asia/Shanghai")


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


def job(answer: Any, reason: str = "") -> Job:
    (payload,) = Details.model_validate(answer).job_detail
    return translate(JobRef(connection="robots", id=payload.uid), payload, SHANGHAI, reason)


def job_with(**fields: Any) -> Job:
    """Return a job that has these fields."""
    payload = {"uid": "ab", "jobName": "export", "status": "running", "mode": "once"}
    return job({"errorCode": 0, "jobDetail": payload | fields})


def run_at(minute: int, word: str) -> Job:
    """Return a job that waits for a queue, with its latest run."""
    start = f"2024-06-06 12:{minute:02}:00"
    return job_with(mode="queueTrigger", startTime=start, recentTaskStatus=word)


def test_documented_example_is_translated() -> None:
    """A queue's job stays active, and its latest run has failed."""
    seen = job(recorded("example"))
    assert (seen.status, seen.native_status, seen.type) == (
        Status.RUNNING,
        "running",
        "queueTrigger",
    )
    assert [(task.name, task.status) for task in seen.tasks] == [("Latest run", Status.FAILED)]
    assert seen.created_at == datetime(2022, 4, 24, 9, 12, 2, tzinfo=UTC)
    assert {detail.label for detail in seen.details} == {"Executor", "Script", "Queue"}


def test_details_may_be_an_array() -> None:
    """The page's table says so, its example does not."""
    seen = job(recorded("once"))
    assert (seen.name, seen.status) == ("Export_invoices", Status.SUCCEEDED)


@pytest.mark.parametrize("nothing", [None, [], {}])
def test_missing_details_are_no_jobs(nothing: Any) -> None:
    """RPA has no code for a missing job."""
    assert Details.model_validate({"errorCode": 0, "jobDetail": nothing}).job_detail == ()


def test_response_without_a_code_is_not_understood() -> None:
    """Another system's JSON must not look like a missing job."""
    with pytest.raises(ValidationError):
        Details.model_validate({"jobDetail": []})


@pytest.mark.parametrize(
    ("status", "recent", "expected"),
    [
        ("init", None, (Status.QUEUED, "init")),
        ("init", "failed", (Status.QUEUED, "init")),
        ("running", "processing", (Status.RUNNING, "running")),
        ("running", "success", (Status.RUNNING, "running")),
        ("running", "failed", (Status.FAILED, "failed")),
        ("suspend", "failed", (Status.WAITING, "suspend")),
        ("success", None, (Status.SUCCEEDED, "success")),
        ("success", "success", (Status.SUCCEEDED, "success")),
        ("success", "failed", (Status.FAILED, "failed")),
        ("success", "timeout", (Status.UNKNOWN, "timeout")),
        ("paused", "failed", (Status.UNKNOWN, "paused")),
    ],
)
def test_latest_run_decides_a_completed_jobs_status(
    status: str, recent: str | None, expected: tuple[Status, str]
) -> None:
    """The job's own status has no word for a failure."""
    seen = job_with(status=status, recentTaskStatus=recent)
    assert (seen.status, seen.native_status) == expected


@pytest.mark.parametrize("mode", ["repeat", "queueTrigger", "weekly"])
@pytest.mark.parametrize("status", ["init", "running", "suspend", "success"])
@pytest.mark.parametrize("recent", [None, "success", "failed"])
def test_repeating_job_never_ends(mode: str, status: str, recent: str | None) -> None:
    """It runs again after any result."""
    assert not job_with(mode=mode, status=status, recentTaskStatus=recent).status.terminal


def test_job_between_two_runs_is_queued() -> None:
    """The native word is kept."""
    seen = job_with(mode="repeat", status="success")
    assert (seen.status, seen.native_status) == (Status.QUEUED, "success")


def test_each_failed_run_is_reported() -> None:
    """Two runs may fail in a row between two polls."""
    change = job_changes.diff(run_at(1, "failed"), run_at(2, "failed"))
    assert change is not None
    assert [task.name for task in change.newly_failed] == ["Latest run"]


def test_failed_run_is_reported_once() -> None:
    """It stays the latest run for a while."""
    assert job_changes.diff(run_at(1, "failed"), run_at(1, "failed")) is None


def test_job_without_a_run_has_no_tasks() -> None:
    """recentTaskStatus is absent then."""
    assert job_with(startTime="2024-06-06 12:00:00").tasks == ()


def test_run_without_a_time_is_shown() -> None:
    """startTime is optional."""
    assert [task.name for task in job_with(recentTaskStatus="failed").tasks] == ["Latest run"]


def test_reason_is_in_the_runs_message() -> None:
    """Its origin is stated: RPA does not link items to runs."""
    seen = job(recorded("example"), "No number.")
    assert seen.tasks[0].message == "The queue's last failed entry says: No number."


@pytest.mark.parametrize(
    ("zone", "hour"), [("Asia/Shanghai", 4), ("UTC", 12), ("America/New_York", 16)]
)
def test_times_are_in_the_zone_of_the_settings(zone: str, hour: int) -> None:
    """RPA's times have no zone."""
    seen = parse_time("2024-06-06 12:00:00", ZoneInfo(zone))
    assert seen == datetime(2024, 6, 6, hour, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "0001-01-01 00:00:00", "9999-12-31 25:00:00"])
def test_invalid_time_is_none(text: str) -> None:
    """A card without a time is better than none."""
    assert parse_time(text, SHANGHAI) is None


def test_queue_item_has_reason_and_details() -> None:
    """Equal texts are shown once."""
    entry = QueuePage.model_validate(recorded("queue")).queue_data[0]
    assert entry.reason.splitlines() == [
        "The customer's number is missing.",
        'Step 4: field "number" is empty.',
    ]
