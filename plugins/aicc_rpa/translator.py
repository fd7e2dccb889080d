"""Translates AICC RPA's jobs. Pure.

Source: Huawei Cloud's page "Interface for Querying RPA Task Details". A job has no failed status:
`recentTaskStatus` has the status of its latest run. Times come without a zone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from bot.sdk import (
    MAX_ID_LENGTH,
    CamelCase,
    Detail,
    Job,
    JobRef,
    OptionalText,
    Status,
    Task,
    parse_time,
)

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
RUN_ONCE_MODES = ("once", "")  # modes whose jobs end; jobs of other modes run again


class JobPayload(CamelCase):
    """A job, in its details or in the list, which omits some keys."""

    uid: Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH)]
    status: OptionalText
    job_name: OptionalText = ""
    mode: OptionalText = ""
    start_time: OptionalText = ""  # of the latest run
    create_time: OptionalText = ""
    recent_task_status: OptionalText = ""  # of the latest run; absent before the first one
    workstation_name: OptionalText = ""
    cluster_name: OptionalText = ""
    procedure_name: OptionalText = ""
    procedure_version: OptionalText = ""
    queue_uid: OptionalText = ""
    queue_name: OptionalText = ""
    description: OptionalText = ""

    @property
    def runs_once(self) -> bool:
        """Whether the job runs only once."""
        return self.mode in RUN_ONCE_MODES

    @property
    def run_id(self) -> str:
        """The id of the latest run; empty if there was none."""
        return (self.start_time or "latest") if self.recent_task_status else ""

    @property
    def run_failed(self) -> bool:
        """Whether the latest run failed."""
        return status_of(self.recent_task_status).failed


def translate(ref: JobRef, payload: JobPayload, zone: ZoneInfo, reason: str = "") -> Job:
    """Return the job of an RPA response; `reason` is why its latest run failed."""
    status, native = _job_status(payload)
    return Job(
        ref=ref,
        name=payload.job_name or payload.uid,
        status=status,
        native_status=native,
        type=payload.mode,
        created_at=parse_time(payload.create_time, zone),
        started_at=parse_time(payload.start_time, zone),
        tasks=tuple(_runs(payload, zone, reason)),
        details=tuple(Detail(label=k, value=v) for k, v in _facts(payload).items() if v),
    )


def status_of(native: str) -> Status:
    """Return the status for RPA's word; UNKNOWN for a new word."""
    return STATUSES.get(native.lower(), Status.UNKNOWN)


def _job_status(payload: JobPayload) -> tuple[Status, str]:
    """Return the job's status and the native status that decides it."""
    status, recent = status_of(payload.status), payload.recent_task_status
    if not payload.runs_once:
        # Between two runs: a job that repeats or waits for a queue never ends.
        return (Status.QUEUED if status.terminal else status), payload.status
    if status is Status.SUCCEEDED and recent:
        return status_of(recent), recent
    if status is Status.RUNNING and payload.run_failed:
        return Status.FAILED, recent
    return status, payload.status


def _runs(payload: JobPayload, zone: ZoneInfo, reason: str) -> Iterator[Task]:
    """Return the latest run as a task with its own id; RPA returns no earlier runs."""
    if payload.run_id:
        yield Task(
            id=payload.run_id,
            name="Latest run",
            status=status_of(payload.recent_task_status),
            native_status=payload.recent_task_status,
            started_at=parse_time(payload.start_time, zone),
            message=f"The queue's last failed entry says: {reason}" if reason else "",
            announced=not payload.runs_once,
        )


def _facts(payload: JobPayload) -> dict[str, str]:
    return {
        "Executor": payload.workstation_name,
        "Cluster": payload.cluster_name,
        "Script": f"{payload.procedure_name} {payload.procedure_version}".strip(),
        "Queue": payload.queue_name,
        "Description": payload.description,
    }
