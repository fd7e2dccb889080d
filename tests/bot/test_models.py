"""The vocabulary: frozen values that any store and Slack can hold."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.models import Change, Job, JobRef, Status, Task, seconds_between

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
REF = JobRef(connection="deploys", id="JOB1")


def job(status: Status = Status.RUNNING, *tasks: Task) -> Job:
    return Job(ref=REF, name="deploy-api", status=status, tasks=tasks)


def task(status: Status, id_: str = "t1") -> Task:
    return Task(id=id_, name=f"step {id_}", status=status)


def test_a_word_nobody_knows_does_not_end_a_job() -> None:
    """A watch must not end because a vendor invented a word."""
    assert not Status.UNKNOWN.terminal


def test_exactly_the_five_outcomes_end_a_job() -> None:
    """Whoever waits for a person, or in a queue, still lives."""
    ended = {status for status in Status if status.terminal}
    assert {s.value for s in ended} == {"succeeded", "partial", "failed", "cancelled", "skipped"}


def test_somebody_should_look_at_what_failed_and_at_what_is_done_in_part() -> None:
    """A cancelled job was somebody's wish."""
    assert {status for status in Status if status.bad} == {Status.FAILED, Status.PARTIAL}


def test_a_value_cannot_be_changed_in_place() -> None:
    """Two looks at a job can be compared because neither moves."""
    with pytest.raises(ValidationError):
        job().name = "another"  # type: ignore[misc]


def test_a_value_refuses_a_field_that_it_does_not_know() -> None:
    """A misspelt field is found where it is written."""
    with pytest.raises(ValidationError):
        Task(id="1", name="n", status=Status.QUEUED, nativestatus="x")  # type: ignore[call-arg]


def test_but_gives_a_new_value_and_leaves_the_old_one() -> None:
    """Changing a value makes another."""
    first = job()
    assert first.but(status=Status.FAILED).status is Status.FAILED
    assert first.status is Status.RUNNING


def test_a_reference_reads_as_people_write_it() -> None:
    """Its text is what can be typed after the command."""
    assert str(REF) == "deploys:JOB1"


@pytest.mark.parametrize(("connection", "id_"), [("", "1"), ("c", ""), ("c", "x" * 201)])
def test_a_reference_has_two_parts_of_a_fit_length(connection: str, id_: str) -> None:
    """Neither part is empty, and an id fits into a button and a column."""
    with pytest.raises(ValidationError):
        JobRef(connection=connection, id=id_)


def test_a_time_without_a_zone_is_refused() -> None:
    """Durations across zones would be wrong by hours."""
    with pytest.raises(ValidationError):
        Job(ref=REF, name="n", status=Status.QUEUED, started_at=datetime(2026, 1, 1))  # noqa: DTZ001


@given(st.text(st.characters(), max_size=50))
def test_what_a_value_holds_can_be_written_anywhere(text: str) -> None:
    """No null character is left, and every text can be encoded."""
    held = Task(id="1", name=text, status=Status.QUEUED).name
    assert "\x00" not in held
    assert held.encode().decode() == held


def test_a_job_knows_its_failed_and_finished_tasks() -> None:
    """Only what went wrong is failed; whatever ended is finished."""
    tasks = [task(s, s.value) for s in (Status.SUCCEEDED, Status.FAILED, Status.RUNNING)]
    whole = job(Status.RUNNING, *tasks)
    assert whole.failed_tasks == (tasks[1],)
    assert whole.finished_tasks == 2


def test_a_change_ends_a_job_only_when_the_status_moved_to_an_outcome() -> None:
    """A task that fails later does not end the job twice."""
    ended = job(Status.FAILED)
    assert Change(before=job(), after=ended, status_changed=True).ends
    assert not Change(before=ended, after=ended, status_changed=False).ends
    assert not Change(before=None, after=job(), status_changed=True).ends


def test_a_change_is_of_the_job_after_it() -> None:
    """Its reference is there even on a first look."""
    assert Change(before=None, after=job(), status_changed=True).ref == REF


def test_seconds_between_are_never_negative_and_unknown_without_both_ends() -> None:
    """Clocks of two machines may disagree; a duration does not run backwards."""
    assert seconds_between(NOON, NOON + timedelta(seconds=90)) == 90.0
    assert seconds_between(NOON, NOON - timedelta(seconds=1)) == 0.0
    assert seconds_between(None, NOON) is None
    assert seconds_between(NOON, None) is None
