"""Translates ServiceStage's jobs. Pure.

Source: Huawei Cloud's page "Obtaining Job Details" of ServiceStage. Its table writes the keys in
capitals, its example in lower case; both are sent, so the case of keys is ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from bot.sdk import (
    Detail,
    Job,
    JobRef,
    OneOrMany,
    OptionalText,
    Status,
    Task,
    Timestamp,
    failure_message,
)
from plugins.huaweicloud.payload import CaseInsensitiveModel
from plugins.servicestage.task_messages import render_messages

if TYPE_CHECKING:
    from collections.abc import Iterable

STATUSES = {
    "SUBMITTED": Status.QUEUED,
    "SCHEDULED": Status.QUEUED,
    "RUNNING": Status.RUNNING,
    "ROLLBACKING": Status.RUNNING,
    "SUCCEEDED": Status.SUCCEEDED,
    "PARTIALLY_FAILED": Status.PARTIAL,
    "FAILED": Status.FAILED,
    "ROLLBACKED": Status.FAILED,  # it failed, and its changes were undone
    "CANCELLED": Status.CANCELLED,
    "SKIPPED": Status.SKIPPED,  # tasks only
    "UNKNOWN": Status.UNKNOWN,
}

TASK_STATUSES = STATUSES | {"ROLLBACKED": Status.CANCELLED}  # an undone step did not fail


class JobPayload(CaseInsensitiveModel):
    """The object `job`; only v2 gives jobs a name."""

    execution_status: str
    job_type: OptionalText = ""
    job_name: OptionalText = ""
    order_id: OptionalText = ""
    service_instance_id: OptionalText = ""


class TaskPayload(CaseInsensitiveModel):
    """One of `tasks`; `messages` is a string that holds JSON."""

    task_id: OptionalText = ""
    task_index: int | None = None
    task_name: OptionalText = ""
    task_status: OptionalText = ""
    created_at: Timestamp = None
    update_at: Timestamp = None
    messages: Any = ""

    @property
    def sort_key(self) -> tuple[int, float]:
        """The task's sort key: the API documents no order."""
        index = self.task_index if self.task_index is not None else 2**31
        return index, self.created_at.timestamp() if self.created_at else 0.0


class Answer(CaseInsensitiveModel):
    """The whole response or one page; the query's limit and offset count tasks."""

    job: JobPayload
    tasks: OneOrMany[TaskPayload] = ()
    task_count: int | None = Field(default=None, ge=0)


def translate(ref: JobRef, payload: JobPayload, payloads: Iterable[TaskPayload]) -> Job:
    """Return the job of a ServiceStage response."""
    ordered = sorted(payloads, key=lambda task: task.sort_key)
    tasks = tuple(_task(task, number) for number, task in enumerate(ordered, start=1))
    status = status_of(payload.execution_status)
    ends = (task.finished_at for task in tasks if task.finished_at)
    details = (("Instance", payload.service_instance_id), ("Order", payload.order_id))
    return Job(
        ref=ref,
        name=payload.job_name or _name(payload.job_type, ref.id),
        status=status,
        native_status=payload.execution_status,
        type=payload.job_type,
        started_at=min((t.started_at for t in tasks if t.started_at), default=None),
        finished_at=max(ends, default=None) if status.terminal else None,
        tasks=tasks,
        message=failure_message(tasks),
        details=tuple(Detail(label=label, value=value) for label, value in details if value),
        series=payload.job_name or f"{payload.service_instance_id} {payload.job_type}".strip(),
    )


def status_of(native: str) -> Status:
    """Return the status for ServiceStage's word; UNKNOWN for a new word."""
    return STATUSES.get(native.upper(), Status.UNKNOWN)


def _task(payload: TaskPayload, number: int) -> Task:
    status = TASK_STATUSES.get(payload.task_status.upper(), Status.UNKNOWN)
    return Task(
        id=payload.task_id or str(number),
        name=payload.task_name or f"Task {number}",
        status=status,
        native_status=payload.task_status,
        started_at=None if status is Status.QUEUED else payload.created_at,
        finished_at=payload.update_at if status.terminal else None,
        message=render_messages(payload.messages),
    )


def _name(kind: str, id_: str) -> str:
    """Return a name for the job, since v3 has none."""
    words = kind.replace("_", " ").lower() if kind.upper() != "UNKNOWN" else ""
    return f"{words or 'job'} {id_.removeprefix('JOB').split('-')[0]}"
