"""Diffs between job snapshots, the poll interval and the backoff."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.sdk.errors import RateLimited, Unavailable
from bot.sdk.models import Job, JobRef, Status, Task
from bot.tracking import job_changes
from tests.jitter import LONGEST

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STATUSES = st.sampled_from(Status)


def task(status: Status, id_: str = "t1") -> Task:
    return Task(id=id_, name=id_, status=status)


def job(status: Status = Status.RUNNING, *tasks: Task, **fields: object) -> Job:
    ref = JobRef(connection="deploys", id="1")
    return Job.model_validate(
        {"ref": ref, "name": "deploy", "status": status, "tasks": tasks, **fields}
    )


def test_first_snapshot_is_a_change() -> None:
    """The thread starts with the first state."""
    change = job_changes.diff(None, job())
    assert change
    assert change.status_changed
    assert change.before is None


@given(STATUSES)
def test_equal_snapshots_are_no_change(status: Status) -> None:
    """Without a change there is no reply."""
    assert job_changes.diff(job(status), job(status)) is None


@given(STATUSES, STATUSES)
def test_any_status_may_follow_any_other(before: Status, after: Status) -> None:
    """Providers are the truth: jobs get restarted."""
    change = job_changes.diff(job(before), job(after))
    assert (change is not None) == (before is not after)


def test_native_status_change_is_a_change() -> None:
    """Rolling back and running are one status of ours, but two native ones."""
    before, after = job(native_status="running"), job(native_status="rollback")
    change = job_changes.diff(before, after)
    assert change
    assert change.status_changed


def test_failed_task_is_reported_once() -> None:
    """The next snapshot does not report it again."""
    failed = job(Status.RUNNING, task(Status.FAILED))
    change = job_changes.diff(job(Status.RUNNING, task(Status.RUNNING)), failed)
    assert change
    assert not change.status_changed
    assert [t.id for t in change.newly_failed] == ["t1"]
    assert job_changes.diff(failed, failed) is None


def test_task_that_fails_again_is_reported_again() -> None:
    """A second failure after a retry is a new change."""
    retried = job(Status.RUNNING, task(Status.RUNNING))
    assert job_changes.diff(retried, job(Status.RUNNING, task(Status.FAILED)))


def test_first_snapshot_reports_every_failed_task() -> None:
    """Failures before the request are reported, too."""
    seen = job(Status.RUNNING, task(Status.FAILED), task(Status.PARTIAL, "t2"))
    change = job_changes.diff(None, seen)
    assert change
    assert len(change.newly_failed) == 2


def test_progress_alone_is_no_change() -> None:
    """Only the card shows it."""
    before, after = job(), job(Status.RUNNING, task(Status.RUNNING))
    assert job_changes.diff(before, after) is None


def test_poll_interval_grows_with_the_age_of_the_job() -> None:
    """Most jobs end young; old ones are less urgent."""
    young = job(started_at=NOON - timedelta(minutes=4))
    middle = job(started_at=NOON - timedelta(minutes=15))
    old = job(started_at=NOON - timedelta(days=3))
    assert job_changes.poll_interval(young, NOON) == 10.0
    assert job_changes.poll_interval(middle, NOON) == 30.0
    assert job_changes.poll_interval(old, NOON) == 60.0


def test_job_of_unknown_age_counts_as_young() -> None:
    """Without a start time, the creation time gives the age."""
    assert job_changes.poll_interval(job(), NOON) == 10.0
    waiting = job(created_at=NOON - timedelta(minutes=15))
    assert job_changes.poll_interval(waiting, NOON) == 30.0


@given(st.floats(1, 3_600), st.integers(-10, 10_000_000))
def test_poll_interval_is_at_least_the_configured_one(shortest: float, age: int) -> None:
    """The configured interval limits the provider's load."""
    seen = job(started_at=NOON - timedelta(seconds=age))
    assert job_changes.poll_interval(seen, NOON, min_seconds=shortest) >= shortest


def test_backoff_doubles_up_to_five_minutes() -> None:
    """A failing provider gets fewer calls."""
    error = Unavailable("Down.")
    pauses = [job_changes.retry_delay(error, n, jitter=LONGEST) for n in (1, 2, 3, 50)]
    assert pauses == [20.0, 40.0, 80.0, 300.0]


@given(st.floats(1, 3_600), st.integers(0, 1_000))
def test_backoff_is_at_least_the_poll_interval(shortest: float, failures: int) -> None:
    """Backoff only slows polling down, whatever the configured interval."""
    assert job_changes.retry_delay(Unavailable("Down."), failures, min_seconds=shortest) >= shortest


def test_longer_retry_after_overrides_the_backoff() -> None:
    """A shorter one does not shorten it."""
    assert job_changes.retry_delay(RateLimited("Busy.", retry_after=900), 1) == 900
    assert job_changes.retry_delay(RateLimited("Busy.", retry_after=1), 1, jitter=LONGEST) == 20.0


def run(id_: str, status: Status) -> Task:
    """Return a run of a repeating job."""
    return Task(id=id_, name=f"Run {id_}", status=status, announced=True)


def test_succeeded_announced_task_is_reported() -> None:
    """Each run of a repeating job has its own outcome."""
    before = job(tasks=(run("1", Status.RUNNING),))
    after = job(tasks=(run("1", Status.SUCCEEDED),))
    change = job_changes.diff(before, after)
    assert change is not None
    assert [task.id for task in change.newly_ended] == ["1"]


def test_run_that_ended_before_is_not_reported() -> None:
    """It was reported once."""
    same = job(tasks=(run("1", Status.SUCCEEDED),))
    assert job_changes.diff(same, same) is None


def test_failed_run_is_reported_as_a_failure_only() -> None:
    """It is not also reported as ended."""
    change = job_changes.diff(
        job(tasks=(run("1", Status.RUNNING),)), job(tasks=(run("1", Status.FAILED),))
    )
    assert change is not None
    assert change.newly_ended == ()
    assert [task.id for task in change.newly_failed] == ["1"]
