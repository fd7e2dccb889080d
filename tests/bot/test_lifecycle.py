"""How jobs move: what a thread is told, and when to look again."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot import lifecycle
from bot.errors import RateLimited, Unavailable
from bot.models import Job, JobRef, Status, Task

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STATUSES = st.sampled_from(Status)


def task(status: Status, id_: str = "t1") -> Task:
    return Task(id=id_, name=id_, status=status)


def job(status: Status = Status.RUNNING, *tasks: Task, **fields: object) -> Job:
    ref = JobRef(connection="deploys", id="1")
    return Job.model_validate(
        {"ref": ref, "name": "deploy", "status": status, "tasks": tasks, **fields}
    )


def test_a_first_look_is_a_change() -> None:
    """The thread begins with what was seen first."""
    change = lifecycle.compare(None, job())
    assert change
    assert change.status_changed
    assert change.before is None


@given(STATUSES)
def test_two_like_looks_are_no_change(status: Status) -> None:
    """Nobody is told that nothing happened."""
    assert lifecycle.compare(job(status), job(status)) is None


@given(STATUSES, STATUSES)
def test_any_status_may_follow_any_other(before: Status, after: Status) -> None:
    """Providers are the truth: jobs get restarted."""
    change = lifecycle.compare(job(before), job(after))
    assert (change is not None) == (before is not after)


def test_the_providers_own_word_counts_although_ours_stays() -> None:
    """Rolling back and running are one status of ours, and two things to be told."""
    before, after = job(native_status="running"), job(native_status="rollback")
    change = lifecycle.compare(before, after)
    assert change
    assert change.status_changed


def test_a_task_that_fails_is_told_once() -> None:
    """The next look is silent about it."""
    failed = job(Status.RUNNING, task(Status.FAILED))
    change = lifecycle.compare(job(Status.RUNNING, task(Status.RUNNING)), failed)
    assert change
    assert not change.status_changed
    assert [t.id for t in change.newly_failed] == ["t1"]
    assert lifecycle.compare(failed, failed) is None


def test_a_task_that_fails_again_after_a_retry_is_told_again() -> None:
    """A second failure is news."""
    retried = job(Status.RUNNING, task(Status.RUNNING))
    assert lifecycle.compare(retried, job(Status.RUNNING, task(Status.FAILED)))


def test_on_a_first_look_every_failed_task_is_new() -> None:
    """What failed before anybody asked is told too."""
    seen = job(Status.RUNNING, task(Status.FAILED), task(Status.PARTIAL, "t2"))
    change = lifecycle.compare(None, seen)
    assert change
    assert len(change.newly_failed) == 2


def test_of_progress_alone_the_thread_is_not_told() -> None:
    """It shows on the card."""
    before, after = job(), job(Status.RUNNING, task(Status.RUNNING))
    assert lifecycle.compare(before, after) is None


def test_a_young_job_is_looked_at_often_and_an_old_one_less() -> None:
    """Most jobs end young; the old ones are in no hurry."""
    young = job(started_at=NOON - timedelta(minutes=4))
    middle = job(started_at=NOON - timedelta(minutes=15))
    old = job(started_at=NOON - timedelta(days=3))
    assert lifecycle.next_look(young, NOON) == 10.0
    assert lifecycle.next_look(middle, NOON) == 30.0
    assert lifecycle.next_look(old, NOON) == 60.0


def test_a_job_of_unknown_age_counts_as_young() -> None:
    """Without a start, its creation tells the age; without either, it is young."""
    assert lifecycle.next_look(job(), NOON) == 10.0
    waiting = job(created_at=NOON - timedelta(minutes=15))
    assert lifecycle.next_look(waiting, NOON) == 30.0


@given(st.floats(1, 3_600), st.integers(-10, 10_000_000))
def test_no_look_comes_sooner_than_the_settings_say(shortest: float, age: int) -> None:
    """The operator's pace is a promise to the provider."""
    seen = job(started_at=NOON - timedelta(seconds=age))
    assert lifecycle.next_look(seen, NOON, shortest=shortest) >= shortest


def test_failures_in_a_row_make_the_pauses_longer_up_to_five_minutes() -> None:
    """A provider in trouble is not pressed."""
    pauses = [lifecycle.next_try(Unavailable("Down."), n) for n in (1, 2, 3, 50)]
    assert pauses == [20.0, 40.0, 80.0, 300.0]


@given(st.floats(1, 3_600), st.integers(0, 1_000))
def test_a_provider_in_trouble_is_never_asked_more_often_than_a_healthy_one(
    shortest: float, failures: int
) -> None:
    """Backing off only ever slows down, whatever pace was set."""
    assert lifecycle.next_try(Unavailable("Down."), failures, shortest=shortest) >= shortest


def test_a_busy_provider_is_left_alone_as_long_as_it_asks() -> None:
    """Its own wish wins when it is longer."""
    assert lifecycle.next_try(RateLimited("Busy.", retry_after=900), 1) == 900
    assert lifecycle.next_try(RateLimited("Busy.", retry_after=1), 1) == 20.0


def run(id_: str, status: Status) -> Task:
    """Return a run of a job that repeats itself."""
    return Task(id=id_, name=f"Run {id_}", status=status, announced=True)


def test_an_announced_task_that_ends_well_is_told() -> None:
    """Each run of a job that never ends has an outcome of its own."""
    before = job(tasks=(run("1", Status.RUNNING),))
    after = job(tasks=(run("1", Status.SUCCEEDED),))
    change = lifecycle.compare(before, after)
    assert change is not None
    assert [task.id for task in change.newly_ended] == ["1"]


def test_a_run_that_ended_before_is_old_news() -> None:
    """It is told once."""
    same = job(tasks=(run("1", Status.SUCCEEDED),))
    assert lifecycle.compare(same, same) is None


def test_a_failed_run_is_told_as_a_failure_only() -> None:
    """One thing is said once."""
    change = lifecycle.compare(
        job(tasks=(run("1", Status.RUNNING),)), job(tasks=(run("1", Status.FAILED),))
    )
    assert change is not None
    assert change.newly_ended == ()
    assert [task.id for task in change.newly_failed] == ["1"]
