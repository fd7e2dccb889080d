"""What NebulaGraph Explorer says of a workflow's job, in our words. Pure.

Sources: NebulaGraph's pages "Query details for a specified job" and "Workflow API overview". A
job's times are milliseconds, its tasks' times are written out with their zone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

from bot.models import Detail, Job, JobRef, Status, Task

WORDS = {0: "Preparing", 1: "Running", 2: "Success", 3: "Failed", 4: "Interrupted", 5: "Stopping"}
STATUSES = {
    "Preparing": Status.QUEUED,
    "Running": Status.RUNNING,
    "Stopping": Status.RUNNING,
    "Success": Status.SUCCEEDED,
    "Failed": Status.FAILED,
    "Interrupted": Status.CANCELLED,
}
EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)  # Explorer's language writes "no time" as year 1


def word(value: Any) -> str:
    """Return Explorer's word for a status code; a new code is its own word."""
    text = str(value)
    return WORDS.get(int(text), text) if text.isdecimal() else text


def moment(value: Any) -> datetime | None:
    """Return a time, in milliseconds or written out, or None if it is none."""
    try:
        if isinstance(value, int | float):
            found = datetime.fromtimestamp(value / 1000, UTC)
        else:
            written = datetime.fromisoformat(str(value))
            found = (written if written.tzinfo else written.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found > EARLIEST else None


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _rows(value: Any) -> Any:
    """Return a list, whether Explorer gave a list, a single object or nothing."""
    return [value] if value and isinstance(value, dict) else value or ()


Word = Annotated[str, BeforeValidator(word)]
Moment = Annotated[datetime | None, BeforeValidator(moment)]
Plain = Annotated[str, BeforeValidator(_text)]


class Payload(BaseModel):
    """Part of an answer; unknown keys are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel)


class TaskPayload(Payload):
    """One of a job's tasks."""

    id: Plain = ""
    name: Plain = ""
    status: Word = ""
    run_begin_time: Moment = None
    run_end_time: Moment = None


class JobPayload(Payload):
    """A job; the list tells all of it but its tasks."""

    id: int
    status: Word
    name: Plain = ""
    workflow_id: Plain = ""
    workflow_name: Plain = ""
    create_time: Moment = None
    run_begin_time: Moment = None
    run_end_time: Moment = None
    tasks: Annotated[tuple[TaskPayload, ...], BeforeValidator(_rows)] = ()


class Answer(Payload):
    """The answer for one job."""

    code: int
    data: JobPayload


class Listed(Payload):
    """One page of the list."""

    items: Annotated[tuple[JobPayload, ...], BeforeValidator(_rows)]
    total: int = 0


class ListAnswer(Payload):
    """The answer of the list."""

    code: int
    data: Listed


def translate(ref: JobRef, payload: JobPayload) -> Job:
    """Return the job that Explorer tells of."""
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
    """Return our word for Explorer's; a new word is UNKNOWN."""
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
