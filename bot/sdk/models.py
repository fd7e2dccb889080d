"""Value types: JobRef, Job, Task, Status, Change, Message. All frozen."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


class Status(StrEnum):
    """Status of a job or task; any status may follow any other."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"  # a person must act
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"  # a native status that we do not know; the job may still be alive

    @property
    def terminal(self) -> bool:
        """Whether the job or task has ended; an unknown status is not terminal."""
        return self in _TERMINAL

    @property
    def failed(self) -> bool:
        """Whether it needs attention: failed, or only partly succeeded."""
        return self in (Status.FAILED, Status.PARTIAL)


_TERMINAL = frozenset(
    {Status.SUCCEEDED, Status.PARTIAL, Status.FAILED, Status.CANCELLED, Status.SKIPPED}
)


class Value(BaseModel):
    """Base of frozen values; unknown fields are an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed, not validated again.

        Raises TypeError for a name that is no field.
        """
        if unknown := changes.keys() - type(self).model_fields.keys():
            raise TypeError(f"{type(self).__name__} has no field {min(unknown)}")
        return self.model_copy(update=changes)


MAX_ID_LENGTH = 200


def _storable(text: str) -> str:
    """Remove what a PostgreSQL text column or a Slack message cannot hold: NUL and surrogates."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


Text = Annotated[str, AfterValidator(_storable)]


class JobRef(Value):
    """A reference to a job: the connection, and the job's id there."""

    connection: Annotated[str, Field(min_length=1, max_length=64)]
    id: Annotated[Text, Field(min_length=1, max_length=MAX_ID_LENGTH)]

    def __str__(self) -> str:
        return f"{self.connection}:{self.id}"


class Task(Value):
    """A named step of a job."""

    id: Text
    name: Text
    status: Status
    native_status: Text = ""  # the provider's own word
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    message: Text = ""  # why it failed, or its last output; plain text, untrusted
    announced: bool = False  # reported also when it succeeds: a run of a repeating job


class Detail(Value):
    """An extra label and value on the card that only some providers have, such as a version."""

    label: Text
    value: Text


class Job(Value):
    """Snapshot of a job at one poll."""

    ref: JobRef
    name: Text
    status: Status
    native_status: Text = ""  # the provider's own word
    type: Text = ""  # the provider's own word for the kind of job
    created_at: AwareDatetime | None = None
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    tasks: tuple[Task, ...] = ()
    message: Text = ""  # the provider's message about the whole job; plain text, untrusted
    url: str | None = None  # the job's page in the provider's console
    details: tuple[Detail, ...] = ()
    series: Text = ""  # name shared by related jobs, where each job's own name is unique

    @property
    def series_name(self) -> str:
        """Name shared by a failure and the success after it: the series, or the job's name."""
        return self.series or self.name

    @property
    def failed_tasks(self) -> tuple[Task, ...]:
        """The tasks that failed or partly succeeded, in order."""
        return tuple(task for task in self.tasks if task.status.failed)

    @property
    def finished_tasks(self) -> int:
        """Number of tasks that have ended, whatever their outcome."""
        return sum(task.status.terminal for task in self.tasks)


class Change(Value):
    """The difference between two snapshots of one job."""

    before: Job | None  # None: first snapshot
    after: Job
    status_changed: bool
    newly_failed: tuple[Task, ...] = ()
    newly_ended: tuple[Task, ...] = ()  # announced tasks that ended without a failure

    @property
    def ref(self) -> JobRef:
        """The job that changed."""
        return self.after.ref

    @property
    def ends(self) -> bool:
        """Whether the job has ended with this change."""
        return self.status_changed and self.after.status.terminal


class Message(Value):
    """Content of a Slack message: text, blocks, and classic blocks as a fallback.

    Screen readers and notifications use `text` alone, so it is complete by itself. `classic` is
    sent when a workspace rejects a newer block type in `blocks`; empty: `blocks` are all classic.
    """

    text: str
    blocks: tuple[dict[str, Any], ...] = ()
    classic: tuple[dict[str, Any], ...] = ()


def failure_message(tasks: Iterable[Task]) -> str:
    """Return the message of the first failed task that has one, else ""."""
    return next((task.message for task in tasks if task.status.failed and task.message), "")


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Return the seconds from start to end, at least 0, or None if either is unknown."""
    if start is None or end is None:
        return None
    return max(0.0, (end - start).total_seconds())
