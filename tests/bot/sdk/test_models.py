"""Value types: frozen, and storable in any database and in Slack."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.sdk.models import Change, Job, JobRef, Status, Task, seconds_between

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
REF = JobRef(connection="deploys", id="JOB1")


def job(status: Status = Status.RUNNING, *tasks: Task) -> Job:
    return Job(ref=REF, name="deploy-api", status=status, tasks=tasks)


def task(status: Status, id_: str = "t1") -> Task:
    return Task(id=id_, name=f"step {id_}", status=status)


def test_unknown_status_does_not_end_a_job() -> None:
    """A watch must not end because a vendor adds a status."""
    assert not Status.UNKNOWN.terminal


def test_exactly_five_statuses_are_terminal() -> None:
    """A queued or waiting job is still alive."""
    ended = {status for status in Status if status.terminal}
    assert {s.value for s in ended} == {"succeeded", "partial", "failed", "cancelled", "skipped"}


def test_failed_and_partial_need_attention() -> None:
    """A person cancelled a cancelled job on purpose."""
    assert {status for status in Status if status.failed} == {Status.FAILED, Status.PARTIAL}


def test_value_is_immutable() -> None:
    """So two snapshots of a job can be compared."""
    with pytest.raises(ValidationError):
        job().name = "another"  # type: ignore[misc]


def test_value_rejects_an_unknown_field() -> None:
    """A misspelt field is an error where it is written."""
    with pytest.raises(ValidationError):
        Task(id="1", name="n", status=Status.QUEUED, nativestatus="x")  # type: ignore[call-arg]


def test_replace_returns_a_copy() -> None:
    """The original is unchanged."""
    first = job()
    assert first.replace(status=Status.FAILED).status is Status.FAILED
    assert first.status is Status.RUNNING


def test_reference_is_written_as_connection_and_id() -> None:
    """Its text can be typed after the command."""
    assert str(REF) == "deploys:JOB1"


@pytest.mark.parametrize(("connection", "id_"), [("", "1"), ("c", ""), ("c", "x" * 201)])
def test_reference_parts_have_a_limited_length(connection: str, id_: str) -> None:
    """Neither is empty, and an id fits into a button and a column."""
    with pytest.raises(ValidationError):
        JobRef(connection=connection, id=id_)


def test_naive_datetime_is_rejected() -> None:
    """Durations across time zones would be wrong by hours."""
    with pytest.raises(ValidationError):
        Job(ref=REF, name="n", status=Status.QUEUED, started_at=datetime(2026, 1, 1))  # noqa: DTZ001


@given(st.text(st.characters(), max_size=50))
def test_text_of_a_value_can_always_be_stored(text: str) -> None:
    """No NUL is left, and every text can be encoded."""
    held = Task(id="1", name=text, status=Status.QUEUED).name
    assert "\x00" not in held
    assert held.encode().decode() == held


def test_job_has_its_failed_and_finished_tasks() -> None:
    """Every ended task is finished; only failed ones are failed."""
    tasks = [task(s, s.value) for s in (Status.SUCCEEDED, Status.FAILED, Status.RUNNING)]
    whole = job(Status.RUNNING, *tasks)
    assert whole.failed_tasks == (tasks[1],)
    assert whole.finished_tasks == 2


def test_change_ends_a_job_only_on_a_new_terminal_status() -> None:
    """A task that fails later does not end the job twice."""
    ended = job(Status.FAILED)
    assert Change(before=job(), after=ended, status_changed=True).ends
    assert not Change(before=ended, after=ended, status_changed=False).ends
    assert not Change(before=None, after=job(), status_changed=True).ends


def test_change_has_the_reference_of_its_job() -> None:
    """Also for the first snapshot."""
    assert Change(before=None, after=job(), status_changed=True).ref == REF


def test_seconds_between_are_never_negative() -> None:
    """Clocks of two machines may differ; None without both ends."""
    assert seconds_between(NOON, NOON + timedelta(seconds=90)) == 90.0
    assert seconds_between(NOON, NOON - timedelta(seconds=1)) == 0.0
    assert seconds_between(None, NOON) is None
    assert seconds_between(NOON, None) is None


def test_replacing_an_unknown_field_is_an_error() -> None:
    """A misspelt name does not pass in silence."""
    with pytest.raises(TypeError, match="JobRef has no field conection"):
        JobRef(connection="deploys", id="JOB1").replace(conection="other")
