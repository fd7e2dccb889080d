"""Recorded Explorer responses are translated into jobs."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.sdk.models import Job, JobRef, Status
from bot.sdk.timestamps import parse_time
from plugins.nebula_explorer.translator import Answer, ListAnswer, status_name, translate

RECORDED = Path(__file__).parent / "data"
BEGAN = datetime(2022, 7, 12, 2, 33, 35, tzinfo=UTC)


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


def job(answer: Any) -> Job:
    payload = Answer.model_validate(answer).data
    return translate(JobRef(connection="graphs", id=str(payload.id)), payload)


def job_with(**fields: Any) -> Job:
    """Return a job that has these fields."""
    return job({"code": 0, "data": {"id": 7, "status": 1} | fields})


def test_documented_example_is_translated() -> None:
    """Name, status, workflow and tasks are read from the documented keys."""
    seen = job(recorded("example"))
    assert (seen.name, seen.status) == ("workflow_xkkjf_20220712103332", Status.SUCCEEDED)
    assert [(task.name, task.status) for task in seen.tasks] == [("BFS", Status.SUCCEEDED)]
    assert [detail.value for detail in seen.details] == ["workflow_xkkjf", "3992429968"]


def test_both_time_formats_are_read() -> None:
    """Jobs have milliseconds, tasks have RFC 3339 with a zone."""
    seen = job(recorded("example"))
    assert seen.started_at == seen.tasks[0].started_at == BEGAN
    assert seen.finished_at == seen.tasks[0].finished_at


def test_preparing_job_has_no_tasks_or_times() -> None:
    """Null tasks and zeros are no errors."""
    seen = job(recorded("preparing"))
    assert (seen.status, seen.tasks, seen.started_at, seen.finished_at) == (
        Status.QUEUED,
        (),
        None,
        None,
    )
    assert seen.created_at is not None


def test_listed_job_lacks_only_its_tasks() -> None:
    """The list's page documents its fields."""
    page = ListAnswer.model_validate(recorded("list")).data
    assert (page.total, [item.id for item in page.items]) == (2, [105, 106])
    assert page.items[0].tasks == ()


@pytest.mark.parametrize(
    ("code", "expected"),
    [(0, "Preparing"), (5, "Stopping"), ("3", "Failed"), ("Success", "Success"), (17, "17")],
)
def test_status_code_has_a_name(code: Any, expected: str) -> None:
    """An unknown code is shown as it is."""
    assert status_name(code) == expected


def test_stopping_job_is_still_running() -> None:
    """Its native word is kept, and it has no end yet."""
    seen = job_with(status=5, runEndTime=1657593218000)
    assert (seen.status, seen.native_status, seen.finished_at) == (Status.RUNNING, "Stopping", None)


def test_interrupted_job_is_cancelled() -> None:
    """A person stopped it."""
    assert job_with(status=4).status is Status.CANCELLED


@pytest.mark.parametrize("tasks", [None, [], {}])
def test_missing_tasks_are_no_error(tasks: Any) -> None:
    """The page's table calls them an object."""
    assert job_with(tasks=tasks).tasks == ()


def test_single_task_may_be_a_bare_object() -> None:
    """Its name and id are optional."""
    (task,) = job_with(tasks={"status": 1}).tasks
    assert (task.id, task.name, task.status) == ("1", "Task 1", Status.RUNNING)


def test_unnamed_job_is_named_by_workflow_or_id() -> None:
    """The card needs a name."""
    assert job_with(workflowName="rings").name == "rings"
    assert job_with().name == "job 7"


@pytest.mark.parametrize(
    "value", [None, 0, "", "soon", "0001-01-01T00:00:00Z", -1, 10**20, {}, "0001-01-01T00:00+14:00"]
)
def test_invalid_time_is_none(value: Any) -> None:
    """Explorer writes 0, or the year 1, for no time."""
    assert parse_time(value) is None


@pytest.mark.parametrize("text", ["2022-07-12T10:33:35.123456789+08:00", "2022-07-12T02:33:35.1Z"])
def test_time_may_have_any_fraction_and_zone(text: str) -> None:
    """RFC 3339 allows both."""
    seen = parse_time(text)
    assert seen is not None
    assert seen.replace(microsecond=0) == BEGAN


@pytest.mark.parametrize("answer", [{"data": {"id": 1, "status": 1}}, {"code": 0, "data": None}])
def test_response_of_another_shape_is_rejected(answer: Any) -> None:
    """A success needs a job, and a job needs a code."""
    with pytest.raises(ValidationError):
        Answer.model_validate(answer)
