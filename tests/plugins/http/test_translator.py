"""Any JSON is translated into jobs by the settings."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.sdk.errors import AnswerNotUnderstood
from bot.sdk.models import Job, JobRef, Status
from bot.sdk.timestamps import parse_time
from plugins.http.coercion import to_text, to_word
from plugins.http.settings import HttpSettings
from plugins.http.translator import translate

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
    """Return the job of a response; its status is in `state` unless the settings differ."""
    fields = {"url": "https://example.com/{id}", "status": "state", **settings}
    return translate(REF, answer, HttpSettings.model_validate(fields))


def steps(*tasks: Any, **settings: Any) -> Job:
    """Return the job of a response with these tasks."""
    return job({"state": "running", "steps": list(tasks)}, **{**TASKS, **settings})


@pytest.mark.parametrize(
    ("native", "stored"),
    [("done", "done"), (2, "2"), (2.0, "2"), (True, "true"), (False, "false"), (0, "0")],
)
def test_status_may_be_a_string_number_or_boolean(native: Any, stored: str) -> None:
    """It is looked up and kept as JSON writes it."""
    seen = job({"state": native}, statuses={stored: "succeeded"})
    assert (seen.status, seen.native_status) == (Status.SUCCEEDED, stored)


@pytest.mark.parametrize("native", ["Done", "DONE", "done"])
def test_status_case_is_ignored(native: str) -> None:
    """APIs are inconsistent about it."""
    assert job({"state": native}, statuses={"Done": "succeeded"}).status is Status.SUCCEEDED


def test_exact_status_takes_precedence_over_case() -> None:
    """Words that differ only in case may both be listed."""
    table = {"S": "succeeded", "s": "skipped"}
    assert job({"state": "s"}, statuses=table).status is Status.SKIPPED


def test_our_status_words_need_no_table() -> None:
    """Their case is ignored."""
    assert job({"state": "Waiting"}).status is Status.WAITING


def test_table_replaces_our_status_words() -> None:
    """An API's "waiting" may mean a queue."""
    assert job({"state": "waiting"}, statuses={"ok": "succeeded"}).status is Status.UNKNOWN


@pytest.mark.parametrize("answer", [{}, [], None, 7, {"state": None}, {"state": ["ok"]}])
def test_response_without_status_is_not_understood(answer: Any) -> None:
    """The sentence names the expression to check."""
    with pytest.raises(AnswerNotUnderstood, match="`status`"):
        job(answer)


def test_tasks_that_are_no_list_are_not_understood() -> None:
    """They are not dropped silently."""
    with pytest.raises(AnswerNotUnderstood, match="`tasks`"):
        job({"state": "running", "steps": {"a": {}}}, **TASKS)


def test_new_job_may_have_no_tasks() -> None:
    """Neither null nor a missing list is an error."""
    assert job({"state": "running", "steps": None}, **TASKS).tasks == ()


def test_unnamed_job_is_named_by_its_id() -> None:
    """The card needs a name."""
    assert job({"state": "running"}).name == "job 17"


def test_function_on_a_wrong_type_finds_nothing() -> None:
    """An expression that does not fit one response must not lose the job."""
    assert job({"state": "running", "name": 3}, name="join('', name)").name == "job 17"


def test_tasks_without_ids_and_names_are_numbered() -> None:
    """Their position identifies them."""
    seen = steps({"state": "running"}, {"state": "queued"})
    assert [(task.id, task.name) for task in seen.tasks] == [("1", "Task 1"), ("2", "Task 2")]


def test_tasks_of_the_same_id_stay_separate() -> None:
    """A repeated step is a step of its own."""
    ids = [task.id for task in steps({"key": "test"}, {"key": "build"}, {"key": "test"}).tasks]
    assert ids == ["test", "build", "test#3"]


def test_task_may_be_a_plain_value() -> None:
    """An expression can still find its name."""
    assert [task.name for task in steps("build", None, task_name="@").tasks] == ["build", "Task 2"]


def test_task_status_may_differ_from_the_jobs() -> None:
    """All other words are the job's."""
    table = {"0": "queued", "1": "running"}
    seen = steps({"state": 0}, {"state": 1}, statuses=table, task_statuses={"0": "skipped"})
    assert [task.status for task in seen.tasks] == [Status.SKIPPED, Status.RUNNING]


def test_job_without_a_message_has_its_failed_tasks() -> None:
    """The card shows the reason."""
    seen = steps({"state": "failed", "log": "No space left."})
    assert seen.message == "No space left."


def test_running_job_has_no_end() -> None:
    """The API's value is ignored."""
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
def test_time_is_read_in_every_format(written: Any) -> None:
    """With a zone, in the zone of the settings, or as seconds to nanoseconds since 1970."""
    assert parse_time(written, ZoneInfo("Europe/Berlin")) == NOON


@pytest.mark.parametrize(
    "written",
    [
        *(None, "", "soon", 0, "0", -1, True, [], {}, float("nan"), float("inf"), 10**400),
        *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),
    ],
)
def test_invalid_time_is_none(written: Any) -> None:
    """A card without a time is better than no card."""
    assert parse_time(written, ZoneInfo("Asia/Shanghai")) is None


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
def test_any_value_is_rendered(value: Any, shown: str) -> None:
    """Lists line by line, objects as JSON."""
    assert to_text(value) == shown


@pytest.mark.parametrize("value", [None, [], {}, ["a"]])
def test_non_scalar_is_an_empty_word(value: Any) -> None:
    """A list is not taken for a status."""
    assert to_word(value) == ""
