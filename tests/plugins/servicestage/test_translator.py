"""From ServiceStage's answers, as they are recorded, to our words."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.models import Job, JobRef, Status
from plugins.servicestage.messages import shown
from plugins.servicestage.translator import Answer, translate

RECORDED = Path(__file__).parent / "data"


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


def job(answer: Any) -> Job:
    payload = Answer.model_validate(answer)
    job_id = {key.lower(): value for key, value in answer["job"].items()}.get("job_id", "JOB1-2")
    return translate(JobRef(connection="deploys", id=job_id), payload.job, payload.tasks)


def small(**fields: Any) -> dict[str, Any]:
    """Return an answer with one task that has these fields."""
    return {"job": {"execution_status": "RUNNING"}, "tasks": [{"task_status": "RUNNING"} | fields]}


def test_the_example_of_the_page_is_understood() -> None:
    """Status, type, tasks and times are where the page shows them."""
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


def test_a_job_without_a_name_is_called_by_its_type_and_the_start_of_its_id() -> None:
    """People need something to say; v3 gives no name."""
    assert job(recorded("succeeded")).name == "provision 17cb1778"


def test_a_job_of_unknown_type_is_just_a_job() -> None:
    """UNKNOWN would be no name."""
    answer = {"job": {"execution_status": "RUNNING", "job_type": "UNKNOWN"}}
    assert job(answer).name == "job 1"


def test_keys_in_capitals_are_the_same_keys() -> None:
    """The page's table and v2 write them so; v2 also gives a name and an instance."""
    seen = job(recorded("upper_case"))
    assert (seen.name, seen.status) == ("upgrade shop-api", Status.RUNNING)
    assert [task.status for task in seen.tasks] == [Status.SUCCEEDED, Status.RUNNING]
    assert [detail.label for detail in seen.details] == ["Instance"]


def test_tasks_are_shown_in_their_order_whatever_order_they_come_in() -> None:
    """The API promises no order: task_index decides, then the time."""
    answer = recorded("failed")
    answer["tasks"].reverse()
    assert [task.name[-2:] for task in job(answer).tasks] == ["01"] * 3
    assert job(answer).tasks == job(recorded("failed")).tasks


def test_a_failed_job_says_what_its_failed_task_says() -> None:
    """The reason is one glance away."""
    seen = job(recorded("failed"))
    assert seen.message == "The health check of instance web-2 failed 3 times."
    assert [task.status for task in seen.tasks] == [
        Status.SUCCEEDED,
        Status.FAILED,
        Status.SKIPPED,
    ]


def test_a_job_that_was_rolled_back_has_failed_and_keeps_the_native_word() -> None:
    """The reason is that of the task that failed, not that of one that was undone."""
    seen = job(recorded("rolled_back"))
    assert (seen.status, seen.native_status) == (Status.FAILED, "ROLLBACKED")
    assert seen.message == "Failed to download the software package: 404 Not Found."


def test_a_step_that_was_undone_is_not_named_as_what_failed() -> None:
    """Of a job that was rolled back, only the step that went wrong has failed."""
    steps = ("ROLLBACKED", "FAILED", "SKIPPED")
    answer = small() | {"tasks": [{"task_id": s, "task_status": s} for s in steps]}
    assert [task.id for task in job(answer).failed_tasks] == ["FAILED"]


def test_a_job_that_goes_on_has_no_end() -> None:
    """Tasks may have ended; the job has not."""
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
def test_a_time_may_have_any_number_of_fraction_digits(text: str, microseconds: int) -> None:
    """ServiceStage leaves out zeros at the end."""
    whole = datetime(2024, 6, 6, 15, 55, 31, tzinfo=UTC)
    seen = job(small(created_at=text)).tasks[0].started_at
    assert seen == whole + timedelta(microseconds=microseconds)


@pytest.mark.parametrize("value", [None, "", "soon", 0, "0001-01-01T00:00:00+14:00", {}])
def test_what_is_no_time_is_no_error(value: Any) -> None:
    """A task that has not begun may have none."""
    assert job(small(created_at=value)).tasks[0].started_at is None


def test_a_task_without_a_name_or_an_id_is_numbered() -> None:
    """Nothing is shown as an empty line."""
    task = job(small(task_name=None)).tasks[0]
    assert (task.id, task.name) == ("1", "Task 1")


@pytest.mark.parametrize("tasks", [None, []])
def test_a_job_may_have_no_tasks_yet(tasks: Any) -> None:
    """Null and an empty list are the same."""
    assert job({"job": {"execution_status": "SUBMITTED"}, "tasks": tasks}).tasks == ()


@pytest.mark.parametrize("answer", [{}, {"job": None}, {"job": {}}, {"job": {"status": "x"}}, []])
def test_an_answer_without_a_job_is_not_understood(answer: Any) -> None:
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
def test_messages_are_shown_as_text(messages: Any, text: str) -> None:
    """They are JSON in a string, of no documented shape; an empty object says nothing."""
    assert shown(messages) == text
