"""Task rotation: which jobs have their tasks fetched next."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.sdk.models import Job, JobRef, Status
from plugins.nebula_explorer import task_rotation
from plugins.nebula_explorer.task_rotation import TaskRotation

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def job(id_: str, status: Status = Status.RUNNING) -> Job:
    return Job(ref=JobRef(connection="graphs", id=id_), name="BFS", status=status)


def test_unfetched_jobs_come_first_then_the_oldest() -> None:
    """Every job is fetched in the end."""
    turn = TaskRotation()
    for minutes, id_ in ((3, "a"), (1, "b"), (2, "c")):
        turn.record_fetch(job(id_), NOON + timedelta(minutes=minutes))
    found = turn.least_recent([job(id_).ref for id_ in "abcd"], 3)
    assert [ref.id for ref in found] == ["d", "b", "c"]


def test_tracked_jobs_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ended jobs are dropped, then those fetched longest ago."""
    monkeypatch.setattr(task_rotation, "MAX_TRACKED", 2)
    turn = TaskRotation()
    for second, id_ in enumerate("abc"):
        turn.record_fetch(job(id_), NOON + timedelta(seconds=second))
    turn.record_fetch(job("c", Status.SUCCEEDED), NOON)
    assert [ref.id for ref in turn.least_recent([job(id_).ref for id_ in "bac"], 2)] == ["a", "c"]
