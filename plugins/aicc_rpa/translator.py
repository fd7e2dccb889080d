"""Translates AICC RPA's jobs. Pure.

Source: Huawei Cloud's page "Interface for Querying RPA Task Details". A job has no failed status:
`recentTaskStatus` has the status of its latest run. Times come without a zone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from bot.sdk.models import MAX_ID_LENGTH, Detail, Job, JobRef, Status, Task
from bot.sdk.payload import CamelCase, Word
from bot.sdk.timestamps import moment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

STATUSES = {
    "init": Status.QUEUED,
    "running": Status.RUNNING,
    "suspend": Status.WAITING,
    "success": Status.SUCCEEDED,
    "processing": Status.RUNNING,  # runs only
    "failed": Status.FAILED,  # runs only
}
ONCE = ("once", "")  # modes whose jobs end; jobs of other modes run again


class JobPayload(CamelCase):
    """A job, in its details or in the list, which omits some keys."""

    uid: Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH)]
    status: Word
    job_name: Word = ""
    mode: Word = ""
    start_time: Word = ""  # of the latest run
    create_time: Word = ""
    recent_task_status: Word = ""  # of the latest run; absent before the first one
    workstation_name: Word = ""
    cluster_name: Word = ""
    procedure_name: Word = ""
    procedure_version: Word = ""
    queue_uid: Word = ""
    queue_name: Word = ""
    description: Word = ""

    @property
    def ends(self) -> bool:
        """Whether the job runs only once."""
        return self.mode in ONCE

    @property
    def run(self) -> str:
        """The id of the latest run; empty if there was none."""
        return (self.start_time or "latest") if self.recent_task_status else ""

    @property
    def run_failed(self) -> bool:
        """Whether the latest run failed."""
        return status_of(self.recent_task_status).bad


def translate(ref: JobRef, payload: JobPayload, zone: ZoneInfo, reason: str = "") -> Job:
    """Return the job of an RPA response; `reason` is why its latest run failed."""
    status, native = _job_status(payload)
    return Job(
        ref=ref,
        name=payload.job_name or payload.uid,
        status=status,
        native_status=native,
        type=payload.mode,
        created_at=moment(payload.create_time, zone),
        started_at=moment(payload.start_time, zone),
        tasks=tuple(_runs(payload, zone, reason)),
        details=tuple(Detail(label=k, value=v) for k, v in _facts(payload).items() if v),
    )


def status_of(native: str) -> Status:
    """Return the status for RPA's word; UNKNOWN for a new word."""
    return STATUSES.get(native.lower(), Status.UNKNOWN)


def _job_status(payload: JobPayload) -> tuple[Status, str]:
    """Return the job's status and the native status that decides it."""
    status, recent = status_of(payload.status), payload.recent_task_status
    if not payload.ends:
        # Between two runs: a job that repeats or waits for a queue never ends.
        return (Status.QUEUED if status.terminal else status), payload.status
    if status is Status.SUCCEEDED and recent:
        return status_of(recent), recent
    if status is Status.RUNNING and payload.run_failed:
        return Status.FAILED, recent
    return status, payload.status


def _runs(payload: JobPayload, zone: ZoneInfo, reason: str) -> Iterator[Task]:
    """Return the latest run as a task with its own id; RPA returns no earlier runs."""
    if payload.run:
        yield Task(
            id=payload.run,
            name="Latest run",
            status=status_of(payload.recent_task_status),
            native_status=payload.recent_task_status,
            started_at=moment(payload.start_time, zone),
            message=f"The queue's last failed entry says: {reason}" if reason else "",
            announced=not payload.ends,
        )


def _facts(payload: JobPayload) -> dict[str, str]:
    return {
        "Executor": payload.workstation_name,
        "Cluster": payload.cluster_name,
        "Script": f"{payload.procedure_name} {payload.procedure_version}".strip(),
        "Queue": payload.queue_name,
        "Description": payload.description,
    }
