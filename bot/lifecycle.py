"""How jobs move: comparing two looks, and when to look again. Pure; no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import ProviderError, RateLimited
from bot.models import Change, Job, Task, seconds_between

if TYPE_CHECKING:
    from datetime import datetime

FIRST_SECONDS = 10.0  # between looks at a young job
LONGEST_SECONDS = 60.0  # between looks at an old one
LONGEST_RETRY_SECONDS = 900.0  # until a job is due again whose provider asked for patience
TROUBLE_SECONDS = 300.0  # between looks at a provider that keeps failing
YOUNG_SECONDS = 300.0  # a job is young for so long


def compare(before: Job | None, after: Job, *, every_task: bool = False) -> Change | None:
    """Return what a thread should be told between two looks, or None when it is nothing.

    `every_task`: also of tasks that ended well, not only of those that are announced.
    """
    status_changed = before is None or _words(before) != _words(after)
    newly_failed = _newly_failed(before, after)
    newly_ended = _newly_ended(before, after, every_task=every_task)
    if not (status_changed or newly_failed or newly_ended):
        return None
    return Change(
        before=before,
        after=after,
        status_changed=status_changed,
        newly_failed=newly_failed,
        newly_ended=newly_ended,
    )


def _words(job: Job) -> tuple[str, str]:
    return job.status, job.native_status


def _newly_failed(before: Job | None, after: Job) -> tuple[Task, ...]:
    """Tasks that failed since the last look; a task that failed again after a retry counts."""
    known = {task.id for task in before.failed_tasks} if before else set()
    return tuple(task for task in after.failed_tasks if task.id not in known)


def _newly_ended(before: Job | None, after: Job, *, every_task: bool) -> tuple[Task, ...]:
    """Tasks to be told of that ended well since the last look; what ended before is old news."""
    if before is None:
        return ()
    known = {task.id for task in before.tasks if task.status.terminal}
    return tuple(
        task
        for task in after.tasks
        if (task.announced or every_task)
        and task.status.terminal
        and not task.status.bad
        and task.id not in known
    )


def next_look(job: Job, now: datetime, *, shortest: float = FIRST_SECONDS) -> float:
    """Return the seconds until a living job should be looked at again: more as it grows old."""
    age = seconds_between(job.started_at or job.created_at, now)
    if age is None or age <= YOUNG_SECONDS:
        return shortest
    return max(shortest, min(LONGEST_SECONDS, shortest * age / YOUNG_SECONDS))


def next_try(error: ProviderError, failures: int, *, shortest: float = FIRST_SECONDS) -> float:
    """Return the seconds until a look that failed `failures` times in a row is tried again."""
    longest = max(TROUBLE_SECONDS, shortest)
    backed_off: float = min(longest, shortest * 2 ** min(failures, 10))
    if not isinstance(error, RateLimited):
        return backed_off
    # Its connection rests as long as it asked for; the job itself is written down for less.
    return max(backed_off, min(error.retry_after, LONGEST_RETRY_SECONDS))
