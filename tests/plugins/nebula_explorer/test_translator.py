"""From Explorer's answers, as they are recorded, to our words."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.models import Job, JobRef, Status
from bot.providers.times import moment
from plugins.nebula_explorer.translator import Answer, ListAnswer, translate, word

RECORDED = Path(__file__).parent / "data"
BEGAN = datetime(2022, 7, 12, 2, 33, 35, tzinfo=UTC)


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


def job(answer: Any) -> Job:
    payload = Answer.model_validate(answer).data
    return translate(JobRef(connection="graphs", id=str(payload.id)), payload)


def small(**fields: Any) -> Job:
    """Return a job that has these fields."""
    return job({"code": 0, "data": {"id": 7, "status": 1} | fields})


def test_the_example_of_the_page_is_understood() -> None:
    """Name, status, workflow and tasks are where the page shows them."""
    seen = job(recorded("example"))
    assert (seen.name, seen.status) == ("workflow_xkkjf_20220712103332", Status.SUCCEEDED)
    assert [(task.name, task.status) for task in seen.tasks] == [("BFS", Status.SUCCEEDED)]
    assert [detail.value for detail in seen.details] == ["workflow_xkkjf", "3992429968"]


def test_both_ways_to_write_times_are_the_same_time() -> None:
    """Jobs have milliseconds, tasks have RFC 3339 with a zone."""
    seen = job(recorded("example"))
    assert seen.started_at == seen.tasks[0].started_at == BEGAN
    assert seen.finished_at == seen.tasks[0].finished_at


def test_a_job_that_prepares_has_neither_tasks_nor_times() -> None:
    """Null tasks and zeros are no errors."""
    seen = job(recorded("preparing"))
    assert (seen.status, seen.tasks, seen.started_at, seen.finished_at) == (
        Status.QUEUED,
        (),
        None,
        None,
    )
    assert seen.created_at is not None


def test_the_list_tells_all_but_the_tasks() -> None:
    """As its page shows it."""
    page = ListAnswer.model_validate(recorded("list")).data
    assert (page.total, [item.id for item in page.items]) == (2, [105, 106])
    assert page.items[0].tasks == ()


@pytest.mark.parametrize(
    ("code", "expected"),
    [(0, "Preparing"), (5, "Stopping"), ("3", "Failed"), ("Success", "Success"), (17, "17")],
)
def test_a_code_has_a_word(code: Any, expected: str) -> None:
    """People read words; a new code is shown as it is."""
    assert word(code) == expected


def test_a_job_that_stops_still_runs() -> None:
    """Its native word is kept, and it has no end yet."""
    seen = small(status=5, runEndTime=1657593218000)
    assert (seen.status, seen.native_status, seen.finished_at) == (Status.RUNNING, "Stopping", None)


def test_an_interrupted_job_was_cancelled() -> None:
    """Somebody stopped it."""
    assert small(status=4).status is Status.CANCELLED


@pytest.mark.parametrize("tasks", [None, [], {}])
def test_no_tasks_are_no_error(tasks: Any) -> None:
    """The page's table calls them an object."""
    assert small(tasks=tasks).tasks == ()


def test_a_single_task_need_not_be_in_a_list() -> None:
    """Nor have a name or an id."""
    (task,) = small(tasks={"status": 1}).tasks
    assert (task.id, task.name, task.status) == ("1", "Task 1", Status.RUNNING)


def test_a_job_without_a_name_is_called_by_its_workflow_or_its_id() -> None:
    """People need something to say."""
    assert small(workflowName="rings").name == "rings"
    assert small().name == "job 7"


@pytest.mark.parametrize(
    "value", [None, 0, "", "soon", "0001-01-01T00:00:00Z", -1, 10**20, {}, "0001-01-01T00:00+14:00"]
)
def test_what_is_no_time_is_no_error(value: Any) -> None:
    """Explorer writes 0, or the year 1, where there is none."""
    assert moment(value) is None


@pytest.mark.parametrize("text", ["2022-07-12T10:33:35.123456789+08:00", "2022-07-12T02:33:35.1Z"])
def test_a_time_may_have_any_fraction(text: str) -> None:
    """And any zone."""
    seen = moment(text)
    assert seen is not None
    assert seen.replace(microsecond=0) == BEGAN


@pytest.mark.parametrize("answer", [{"data": {"id": 1, "status": 1}}, {"code": 0, "data": None}])
def test_an_answer_of_another_shape_is_refused(answer: Any) -> None:
    """Neither success without a job, nor a job without a code."""
    with pytest.raises(ValidationError):
        Answer.model_validate(answer)
