"""Translates NebulaGraph Explorer's jobs. Pure.

Sources: NebulaGraph's pages "Query details for a specified job" and "Workflow API overview". A
job's times are milliseconds; its tasks' times are RFC 3339 with a zone.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from bot.sdk import CamelCase, Detail, Job, JobRef, OneOrMany, OptionalText, Status, Task, Timestamp

STATUS_NAMES = {
    0: "Preparing",
    1: "Running",
    2: "Success",
    3: "Failed",
    4: "Interrupted",
    5: "Stopping",
}
STATUSES = {
    "Preparing": Status.QUEUED,
    "Running": Status.RUNNING,
    "Stopping": Status.RUNNING,
    "Success": Status.SUCCEEDED,
    "Failed": Status.FAILED,
    "Interrupted": Status.CANCELLED,
}


def status_name(value: Any) -> str:
    """Return Explorer's name of a status code; an unknown code is its own name."""
    text = str(value)
    return STATUS_NAMES.get(int(text), text) if text.isdecimal() else text


Code = Annotated[str, BeforeValidator(status_name)]


class TaskPayload(CamelCase):
    """One of a job's tasks."""

    id: OptionalText = ""
    name: OptionalText = ""
    status: Code = ""
    run_begin_time: Timestamp = None
    run_end_time: Timestamp = None


class JobPayload(CamelCase):
    """A job; the list has all fields but the tasks."""

    id: int
    status: Code
    name: OptionalText = ""
    workflow_id: OptionalText = ""
    workflow_name: OptionalText = ""
    create_time: Timestamp = None
    run_begin_time: Timestamp = None
    run_end_time: Timestamp = None
    tasks: OneOrMany[TaskPayload] = ()


class Answer(CamelCase):
    """The response for one job."""

    code: int
    data: JobPayload


class JobPage(CamelCase):
    """One page of the list."""

    items: OneOrMany[JobPayload]
    total: int = 0


class ListAnswer(CamelCase):
    """The response of the list."""

    code: int
    data: JobPage


def translate(ref: JobRef, payload: JobPayload) -> Job:
    """Return the job of an Explorer response."""
    status = status_of(payload.status)
    facts = (("Workflow", payload.workflow_name), ("Workflow ID", payload.workflow_id))
    return Job(
        ref=ref,
        name=payload.name or payload.workflow_name or f"job {payload.id}",
        status=status,
        native_status=payload.status,
        created_at=payload.create_time,
        started_at=payload.run_begin_time,
        finished_at=payload.run_end_time if status.terminal else None,
        tasks=tuple(_task(task, number) for number, task in enumerate(payload.tasks, start=1)),
        details=tuple(Detail(label=label, value=value) for label, value in facts if value),
    )


def status_of(native: str) -> Status:
    """Return the status for Explorer's word; UNKNOWN for a new word."""
    return STATUSES.get(native, Status.UNKNOWN)


def _task(payload: TaskPayload, number: int) -> Task:
    status = status_of(payload.status)
    return Task(
        id=payload.id or str(number),
        name=payload.name or f"Task {number}",
        status=status,
        native_status=payload.status,
        started_at=None if status is Status.QUEUED else payload.run_begin_time,
        finished_at=payload.run_end_time if status.terminal else None,
    )
