"""Recorded ServiceStage responses are translated into jobs."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.sdk.models import Job, JobRef, Status
from plugins.servicestage.task_messages import render_messages
from plugins.servicestage.translator import Answer, translate

RECORDED = Path(__file__).parent / "data"


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


def job(answer: Any) -> Job:
    payload = Answer.model_validate(answer)
    job_id = {key.lower(): value for key, value in answer["job"].items()}.get("job_id", "JOB1-2")
    return translate(JobRef(connection="deploys", id=job_id), payload.job, payload.tasks)


def response_with_task(**fields: Any) -> dict[str, Any]:
    """Return a response with one task that has these fields."""
    return {"job": {"execution_status": "RUNNING"}, "tasks": [{"task_status": "RUNNING"} | fields]}


def test_documented_example_is_translated() -> None:
    """Status, type, tasks and times are read from the documented keys."""
    seen = job(recorded("succeeded"))
    assert (seen.status, seen.native_status, seen.type) == (
        Status.SUCCEEDED,
        "SUCCEEDED",
        "PROVISION",
    )
    assert [task.name for task in seen.tasks] == ["VMAPP_CONTEXT_PREPARE_01", "VMAPP_UPGRADE_002"]
    assert seen.started_at == datetime(2024, 6, 6, 15, 55, 31, 115000, tzinfo=UTC)
    assert seen.finished_at == datetime(2024, 6, 6, 15, 55, 31, 360000, tzinfo=UTC)
    assert seen.message == ""


def test_unnamed_job_is_named_by_type_and_id() -> None:
    """The v3 API has no names."""
    assert job(recorded("succeeded")).name == "provision 17cb1778"


def test_job_of_unknown_type_is_named_job() -> None:
    """UNKNOWN would be no name."""
    answer = {"job": {"execution_status": "RUNNING", "job_type": "UNKNOWN"}}
    assert job(answer).name == "job 1"


def test_capital_keys_are_read() -> None:
    """The page's table and v2 use them; v2 also has a name and an instance."""
    seen = job(recorded("upper_case"))
    assert (seen.name, seen.status) == ("upgrade shop-api", Status.RUNNING)
    assert [task.status for task in seen.tasks] == [Status.SUCCEEDED, Status.RUNNING]
    assert [detail.label for detail in seen.details] == ["Instance"]


def test_tasks_are_ordered_by_index_then_time() -> None:
    """The API documents no order."""
    answer = recorded("failed")
    answer["tasks"].reverse()
    assert [task.name[-2:] for task in job(answer).tasks] == ["01"] * 3
    assert job(answer).tasks == job(recorded("failed")).tasks


def test_failed_job_has_its_failed_tasks_message() -> None:
    """The card shows the reason."""
    seen = job(recorded("failed"))
    assert seen.message == "The health check of instance web-2 failed 3 times."
    assert [task.status for task in seen.tasks] == [
        Status.SUCCEEDED,
        Status.FAILED,
        Status.SKIPPED,
    ]


def test_rolled_back_job_has_failed_with_its_own_word() -> None:
    """Its message is the failed task's, not an undone task's."""
    seen = job(recorded("rolled_back"))
    assert (seen.status, seen.native_status) == (Status.FAILED, "ROLLBACKED")
    assert seen.message == "Failed to download the software package: 404 Not Found."


def test_undone_step_is_not_named_as_failed() -> None:
    """Only the step that failed is."""
    steps = ("ROLLBACKED", "FAILED", "SKIPPED")
    answer = response_with_task() | {"tasks": [{"task_id": s, "task_status": s} for s in steps]}
    assert [task.id for task in job(answer).failed_tasks] == ["FAILED"]


def test_running_job_has_no_end() -> None:
    """Its tasks may have ended."""
    seen = job(recorded("upper_case"))
    assert seen.finished_at is None
    assert seen.tasks[0].finished_at is not None
    assert seen.tasks[1].finished_at is None


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("2024-06-06T15:55:31Z", 0),
        ("2024-06-06T15:55:31.3Z", 300_000),
        ("2024-06-06T15:55:31.36Z", 360_000),
        ("2024-06-06T15:55:31.123456Z", 123_456),
        ("2024-06-06T15:55:31.123456789Z", 123_456),
        ("2024-06-06T23:55:31.5+08:00", 500_000),
        ("2024-06-06T15:55:31", 0),
    ],
)
def test_time_may_have_any_fraction_digits(text: str, microseconds: int) -> None:
    """ServiceStage omits trailing zeros."""
    whole = datetime(2024, 6, 6, 15, 55, 31, tzinfo=UTC)
    seen = job(response_with_task(created_at=text)).tasks[0].started_at
    assert seen == whole + timedelta(microseconds=microseconds)


@pytest.mark.parametrize("value", [None, "", "soon", 0, "0001-01-01T00:00:00+14:00", {}])
def test_invalid_time_is_none(value: Any) -> None:
    """A task that has not started may have none."""
    assert job(response_with_task(created_at=value)).tasks[0].started_at is None


def test_task_without_name_and_id_is_numbered() -> None:
    """No task has an empty name."""
    task = job(response_with_task(task_name=None)).tasks[0]
    assert (task.id, task.name) == ("1", "Task 1")


@pytest.mark.parametrize("tasks", [None, []])
def test_job_may_have_no_tasks_yet(tasks: Any) -> None:
    """Null and an empty list are equal."""
    assert job({"job": {"execution_status": "SUBMITTED"}, "tasks": tasks}).tasks == ()


@pytest.mark.parametrize("answer", [{}, {"job": None}, {"job": {}}, {"job": {"status": "x"}}, []])
def test_response_without_a_job_is_not_understood(answer: Any) -> None:
    """Another shape is an error, not an empty job."""
    with pytest.raises(ValidationError):
        Answer.model_validate(answer)


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ("{}", ""),
        ("", ""),
        ("[]", ""),
        ("null", ""),
        (None, ""),
        ('{"message": "No space left."}', "No space left."),
        ('{"code": 7, "error_msg": "No space left."}', "No space left."),
        ('{"host": "web-1", "code": 7}', "host: web-1\ncode: 7"),
        ('["one", "two"]', "one\ntwo"),
        ('"just text"', "just text"),
        ('{"a": {"b": {"c": {"d": 1}}}}', 'a: b: c: {"d": 1}'),
        ("No space left.", "No space left."),
        ('{"message": "cut', '{"message": "cut'),
        ({"message": "not a string"}, "not a string"),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_messages_are_rendered_as_text(messages: Any, text: str) -> None:
    """They are JSON in a string, of no documented shape; an empty object has no text."""
    assert render_messages(messages) == text
