"""From any JSON, with settings, to our words."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.errors import AnswerNotUnderstood
from bot.models import Job, JobRef, Status
from bot.providers.times import moment
from plugins.http.settings import HttpSettings
from plugins.http.translator import translate
from plugins.http.values import text, word

REF = JobRef(connection="acme", id="17")
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TASKS = {
    "tasks": "steps",
    "task_id": "key",
    "task_name": "title",
    "task_status": "state",
    "task_message": "log",
    "task_finished": "end",
}


def job(answer: Any, **settings: Any) -> Job:
    """Return the job of an answer; its status is in `state` unless the settings say otherwise."""
    fields = {"url": "https://example.com/{id}", "status": "state", **settings}
    return translate(REF, answer, HttpSettings.model_validate(fields))


def steps(*tasks: Any, **settings: Any) -> Job:
    """Return the job of an answer with these tasks."""
    return job({"state": "running", "steps": list(tasks)}, **{**TASKS, **settings})


@pytest.mark.parametrize(
    ("native", "kept"),
    [("done", "done"), (2, "2"), (2.0, "2"), (True, "true"), (False, "false"), (0, "0")],
)
def test_a_status_may_be_a_text_a_number_or_a_truth(native: Any, kept: str) -> None:
    """It is looked up and kept as JSON writes it."""
    seen = job({"state": native}, statuses={kept: "succeeded"})
    assert (seen.status, seen.native_status) == (Status.SUCCEEDED, kept)


@pytest.mark.parametrize("native", ["Done", "DONE", "done"])
def test_the_case_of_a_status_is_of_no_matter(native: str) -> None:
    """APIs are not of one mind about it."""
    assert job({"state": native}, statuses={"Done": "succeeded"}).status is Status.SUCCEEDED


def test_words_that_differ_only_in_case_are_told_apart_if_both_are_listed() -> None:
    """The very word goes first."""
    table = {"S": "succeeded", "s": "skipped"}
    assert job({"state": "s"}, statuses=table).status is Status.SKIPPED


def test_an_api_that_speaks_our_words_needs_no_table() -> None:
    """Whatever their case."""
    assert job({"state": "Waiting"}).status is Status.WAITING


def test_with_a_table_only_its_words_are_known() -> None:
    """What an API calls waiting may be no more than a queue."""
    assert job({"state": "waiting"}, statuses={"ok": "succeeded"}).status is Status.UNKNOWN


@pytest.mark.parametrize("answer", [{}, [], None, 7, {"state": None}, {"state": ["ok"]}])
def test_an_answer_without_a_status_is_not_understood(answer: Any) -> None:
    """The sentence names the expression to check."""
    with pytest.raises(AnswerNotUnderstood, match="`status`"):
        job(answer)


def test_tasks_that_are_no_list_are_not_understood() -> None:
    """They are not silently left out."""
    with pytest.raises(AnswerNotUnderstood, match="`tasks`"):
        job({"state": "running", "steps": {"a": {}}}, **TASKS)


def test_a_young_job_may_have_no_tasks_yet() -> None:
    """Neither null nor a missing list is an error."""
    assert job({"state": "running", "steps": None}, **TASKS).tasks == ()


def test_a_job_without_a_name_is_called_by_its_id() -> None:
    """Something must stand on the card."""
    assert job({"state": "running"}).name == "job 17"


def test_a_function_that_is_given_another_type_finds_nothing() -> None:
    """An expression that does not fit one answer is no reason to lose the job."""
    assert job({"state": "running", "name": 3}, name="join('', name)").name == "job 17"


def test_tasks_without_ids_and_names_are_numbered() -> None:
    """They are told apart by their place."""
    seen = steps({"state": "running"}, {"state": "queued"})
    assert [(task.id, task.name) for task in seen.tasks] == [("1", "Task 1"), ("2", "Task 2")]


def test_tasks_of_the_same_id_stay_apart() -> None:
    """A step that was tried again is a step of its own."""
    ids = [task.id for task in steps({"key": "test"}, {"key": "build"}, {"key": "test"}).tasks]
    assert ids == ["test", "build", "test#3"]


def test_a_task_may_be_no_object() -> None:
    """An expression can find its name all the same."""
    assert [task.name for task in steps("build", None, task_name="@").tasks] == ["build", "Task 2"]


def test_a_word_may_mean_something_else_in_a_task() -> None:
    """All other words are those of the job."""
    table = {"0": "queued", "1": "running"}
    seen = steps({"state": 0}, {"state": 1}, statuses=table, task_statuses={"0": "skipped"})
    assert [task.status for task in seen.tasks] == [Status.SKIPPED, Status.RUNNING]


def test_a_job_that_says_nothing_says_what_its_failed_task_says() -> None:
    """The reason is on the card, wherever it stood."""
    seen = steps({"state": "failed", "log": "No space left."})
    assert seen.message == "No space left."


def test_a_job_that_lives_has_no_end() -> None:
    """Whatever the API writes there meanwhile."""
    end = {"end": "2026-11-22T12:00:00Z"}
    assert job({"state": "running", **end}, finished="end").finished_at is None
    assert job({"state": "failed", **end}, finished="end").finished_at == NOON
    assert [task.finished_at for task in steps({"state": "running", **end}).tasks] == [None]


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-22T12:00:00Z",
        "2026-11-22T20:00:00+08:00",
        "2026-11-22T20:00:00+0800",
        "2026-11-22 13:00:00",
        "2026-11-22T13:00:00.000000000",
        " 2026-11-22T12:00:00Z ",
        1795348800,
        1795348800.0,
        1795348800000,
        1795348800000000,
        1795348800000000000,
        "1795348800",
        "1795348800000",
    ],
)
def test_a_time_is_read_however_it_is_written(written: Any) -> None:
    """With a zone, in the zone of the settings, or as seconds to nanoseconds since 1970."""
    assert moment(written, ZoneInfo("Europe/Berlin")) == NOON


@pytest.mark.parametrize(
    "written",
    [
        *(None, "", "soon", 0, "0", -1, True, [], {}, float("nan"), float("inf"), 10**400),
        *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),
    ],
)
def test_what_is_no_time_is_none(written: Any) -> None:
    """A card without a time is better than no card."""
    assert moment(written, ZoneInfo("Asia/Shanghai")) is None


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("as it is ", "as it is "),
        (["one", 2, None, ["three"]], "one\n2\nthree"),
        ({"é": 1}, '{"é": 1}'),
        (None, ""),
        (False, "false"),
        (1.5, "1.5"),
    ],
)
def test_any_value_can_be_shown(value: Any, shown: str) -> None:
    """Lists line by line, objects as JSON."""
    assert text(value) == shown


@pytest.mark.parametrize("value", [None, [], {}, ["a"]])
def test_what_is_no_word_is_empty(value: Any) -> None:
    """A list is not taken for a status."""
    assert word(value) == ""
