"""The jobs and changes that most tests of cards render."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.sdk.models import Change, Job, JobRef, Status, Task
from bot.tracking import job_changes

START = datetime(2026, 11, 3, 12, 3, tzinfo=UTC)
NOW = START + timedelta(seconds=63)
LOG = "pulling image\nERROR: exit code 137"


def task(name: str, status: Status, begun: int = 0, took: int | None = None, **more: Any) -> Task:
    """Return a task that started this many seconds after its job."""
    at = START + timedelta(seconds=begun)
    end = None if took is None else at + timedelta(seconds=took)
    return Task(id=name, name=name, status=status, started_at=at, finished_at=end, **more)


def job(status: Status = Status.RUNNING, **more: Any) -> Job:
    """Return the job of most tests."""
    ended = START + timedelta(seconds=192) if status.terminal else None
    given = {"name": "deploy-api", "started_at": START, "finished_at": ended, **more}
    return Job(ref=JobRef(connection="deploys", id="JOB1"), status=status, **given)


FAILING = (
    task("VMAPP_PREPARE_001", Status.SUCCEEDED, 0, 9),
    task("VMAPP_UPGRADE_002", Status.FAILED, 9, 12, message=LOG),
    task("VMAPP_NOTIFY_003", Status.CANCELLED),
)


def change_between(before: Job | None, after: Job) -> Change:
    """Return the change between two snapshots."""
    found = job_changes.diff(before, after)
    assert found is not None
    return found


def strings(value: Any) -> Iterator[str]:
    """Yield every text in a payload, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for part in value.values() for text in strings(part))
    elif isinstance(value, list | tuple):
        yield from (text for part in value for text in strings(part))
