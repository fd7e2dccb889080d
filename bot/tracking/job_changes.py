"""Diffs two job snapshots; computes the poll interval and the backoff. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sdk.backoff import JITTER, Jitter, backoff
from bot.sdk.errors import ProviderError, RateLimited
from bot.sdk.models import Change, Job, Task, seconds_between

if TYPE_CHECKING:
    from datetime import datetime

MIN_POLL_SECONDS = 10.0  # poll interval of a young job
MAX_POLL_SECONDS = 60.0  # poll interval of an old job
MAX_RETRY_AFTER_SECONDS = 900.0  # until the next poll after a 429
MAX_BACKOFF_SECONDS = 300.0  # longest backoff after failures
YOUNG_SECONDS = 300.0  # age up to which a job is young


def diff(before: Job | None, after: Job, *, every_task: bool = False) -> Change | None:
    """Return the change between two snapshots that a thread should get, or None.

    `every_task`: include all tasks that succeeded, not only the announced ones.
    """
    status_changed = before is None or _statuses(before) != _statuses(after)
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


def _statuses(job: Job) -> tuple[str, str]:
    return job.status, job.native_status


def _newly_failed(before: Job | None, after: Job) -> tuple[Task, ...]:
    """Return the tasks that failed since `before`, also those that failed again after a retry."""
    known = {task.id for task in before.failed_tasks} if before else set()
    return tuple(task for task in after.failed_tasks if task.id not in known)


def _newly_ended(before: Job | None, after: Job, *, every_task: bool) -> tuple[Task, ...]:
    """Return the reportable tasks that succeeded since `before`; none for a first snapshot."""
    if before is None:
        return ()
    known = {task.id for task in before.tasks if task.status.terminal}
    return tuple(
        task
        for task in after.tasks
        if (task.announced or every_task)
        and task.status.terminal
        and not task.status.failed
        and task.id not in known
    )


def poll_interval(job: Job, now: datetime, *, min_seconds: float = MIN_POLL_SECONDS) -> float:
    """Return the seconds until the next poll of an active job; they grow with its age."""
    age = seconds_between(job.started_at or job.created_at, now)
    if age is None or age <= YOUNG_SECONDS:
        return min_seconds
    return max(min_seconds, min(MAX_POLL_SECONDS, min_seconds * age / YOUNG_SECONDS))


def retry_delay(
    error: ProviderError,
    failures: int,
    *,
    min_seconds: float = MIN_POLL_SECONDS,
    jitter: Jitter = JITTER,
) -> float:
    """Return the seconds until the next poll after `failures` failures in a row."""
    longest = max(MAX_BACKOFF_SECONDS, min_seconds)
    delay = max(min_seconds, backoff(failures, min_seconds, longest, jitter))
    if not isinstance(error, RateLimited):
        return delay
    # The circuit breaker waits for the whole Retry-After; the stored delay is capped.
    return max(delay, min(error.retry_after, MAX_RETRY_AFTER_SECONDS))
