"""From RPA's answers, as they are recorded, to our words."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from bot import lifecycle
from bot.models import Job, JobRef, Status
from bot.providers.times import moment
from plugins.aicc_rpa.api import Details, EntryPage
from plugins.aicc_rpa.translator import translate

RECORDED = Path(__file__).parent / "data"
SHANGHAI = ZoneInfo("Asia/Shanghai")


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


def job(answer: Any, reason: str = "") -> Job:
    (payload,) = Details.model_validate(answer).job_detail
    return translate(JobRef(connection="robots", id=payload.uid), payload, SHANGHAI, reason)


def small(**fields: Any) -> Job:
    """Return a job that has these fields."""
    told = {"uid": "ab", "jobName": "export", "status": "running", "mode": "once"}
    return job({"errorCode": 0, "jobDetail": told | fields})


def run_at(minute: int, word: str) -> Job:
    """Return a job that waits for a queue, with its latest run."""
    start = f"2024-06-06 12:{minute:02}:00"
    return small(mode="queueTrigger", startTime=start, recentTaskStatus=word)


def test_the_example_of_the_page_is_understood() -> None:
    """A queue's job lives on, and its latest run has failed."""
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
def test_no_details_are_no_jobs(nothing: Any) -> None:
    """No code says that a job does not exist."""
    assert Details.model_validate({"errorCode": 0, "jobDetail": nothing}).job_detail == ()


def test_an_answer_without_a_code_is_not_rpas() -> None:
    """Some other system's JSON must not look like a missing job."""
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
def test_the_latest_run_decides_how_a_job_that_runs_once_ended(
    status: str, recent: str | None, expected: tuple[Status, str]
) -> None:
    """A completed job has not necessarily succeeded: there is no failed status."""
    seen = small(status=status, recentTaskStatus=recent)
    assert (seen.status, seen.native_status) == expected


@pytest.mark.parametrize("mode", ["repeat", "queueTrigger", "weekly"])
@pytest.mark.parametrize("status", ["init", "running", "suspend", "success"])
@pytest.mark.parametrize("recent", [None, "success", "failed"])
def test_a_job_that_runs_again_never_ends(mode: str, status: str, recent: str | None) -> None:
    """Whatever became of a run, there will be another."""
    assert not small(mode=mode, status=status, recentTaskStatus=recent).status.terminal


def test_a_job_between_two_runs_waits() -> None:
    """The native word is kept."""
    seen = small(mode="repeat", status="success")
    assert (seen.status, seen.native_status) == (Status.QUEUED, "success")


def test_each_failed_run_is_told() -> None:
    """Also when the run after a failed one fails between two looks."""
    change = lifecycle.compare(run_at(1, "failed"), run_at(2, "failed"))
    assert change is not None
    assert [task.name for task in change.newly_failed] == ["Latest run"]


def test_a_failed_run_is_told_once() -> None:
    """It stays the latest one for a while."""
    assert lifecycle.compare(run_at(1, "failed"), run_at(1, "failed")) is None


def test_a_job_without_a_run_has_no_tasks() -> None:
    """recentTaskStatus is absent then."""
    assert small(startTime="2024-06-06 12:00:00").tasks == ()


def test_a_run_without_a_time_is_still_told() -> None:
    """startTime need not be there."""
    assert [task.name for task in small(recentTaskStatus="failed").tasks] == ["Latest run"]


def test_the_reason_stands_at_the_run() -> None:
    """Where it comes from is told: RPA does not say which entry belongs to which run."""
    seen = job(recorded("example"), "No number.")
    assert seen.tasks[0].message == "The queue's last failed entry says: No number."


@pytest.mark.parametrize(
    ("zone", "hour"), [("Asia/Shanghai", 4), ("UTC", 12), ("America/New_York", 16)]
)
def test_times_are_read_in_the_zone_of_the_settings(zone: str, hour: int) -> None:
    """RPA writes none."""
    seen = moment("2024-06-06 12:00:00", ZoneInfo(zone))
    assert seen == datetime(2024, 6, 6, hour, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "0001-01-01 00:00:00", "9999-12-31 25:00:00"])
def test_what_is_no_time_is_no_error(text: str) -> None:
    """A card without a time is better than none."""
    assert moment(text, SHANGHAI) is None


def test_an_entry_says_why_it_failed() -> None:
    """The reason, and its details."""
    entry = EntryPage.model_validate(recorded("queue")).queue_data[0]
    assert entry.reason.splitlines() == [
        "The customer's number is missing.",
        'Step 4: field "number" is empty.',
    ]
