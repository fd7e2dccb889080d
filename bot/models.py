"""The vocabulary: a reference, a job and its tasks, their status, what changed. Frozen values."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


class Status(StrEnum):
    """How a job or a task stands, in our words; any may follow any other."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"  # a person must act
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"  # a word of the provider's that we do not know: the job may still live

    @property
    def terminal(self) -> bool:
        """Whether the job or task has ended; an unknown word never ends one."""
        return self in _TERMINAL

    @property
    def bad(self) -> bool:
        """Whether somebody should look: failed, or only partly done."""
        return self in (Status.FAILED, Status.PARTIAL)


_TERMINAL = frozenset(
    {Status.SUCCEEDED, Status.PARTIAL, Status.FAILED, Status.CANCELLED, Status.SKIPPED}
)


class Value(BaseModel):
    """A frozen value that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def but(self, **changes: Any) -> Self:
        """Return this value with some fields changed; they are not validated again."""
        return self.model_copy(update=changes)


MAX_ID_LENGTH = 200


def _storable(text: str) -> str:
    """Take out what neither a PostgreSQL text column nor a Slack message can hold."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


Text = Annotated[str, AfterValidator(_storable)]


class JobRef(Value):
    """A job's address: which connection to ask, and the job's id there."""

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
    announced: bool = False  # its end is told even when it went well: a run of a repeating job


class Detail(Value):
    """One more fact for the card that only some providers know, such as a version."""

    label: Text
    value: Text


class Job(Value):
    """A job as it stood at one look."""

    ref: JobRef
    name: Text
    status: Status
    native_status: Text = ""  # the provider's own word
    type: Text = ""  # the provider's own word for the kind of job
    created_at: AwareDatetime | None = None
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    tasks: tuple[Task, ...] = ()
    message: Text = ""  # what the provider says of the job as a whole; plain text, untrusted
    url: str | None = None  # the job's page in the provider's console
    details: tuple[Detail, ...] = ()
    series: Text = ""  # what the job is one of, where its name is its alone

    @property
    def family(self) -> str:
        """What a failure and the success after it have in common: the series, or the name."""
        return self.series or self.name

    @property
    def failed_tasks(self) -> tuple[Task, ...]:
        """The tasks that went wrong, in their order."""
        return tuple(task for task in self.tasks if task.status.bad)

    @property
    def finished_tasks(self) -> int:
        """How many tasks have ended, well or badly."""
        return sum(task.status.terminal for task in self.tasks)


class Change(Value):
    """What is different between two looks at one job."""

    before: Job | None  # None: this is the first look
    after: Job
    status_changed: bool
    newly_failed: tuple[Task, ...] = ()
    newly_ended: tuple[Task, ...] = ()  # announced tasks that ended otherwise than badly

    @property
    def ref(self) -> JobRef:
        """The job that changed."""
        return self.after.ref

    @property
    def ends(self) -> bool:
        """Whether the job has ended with this change."""
        return self.status_changed and self.after.status.terminal


class Message(Value):
    """What is said in Slack: a sentence, its blocks, and plainer blocks if Slack refuses those.

    `text` is read aloud and shown in notifications, so it is whole in itself. `classic` is sent
    when a workspace refuses one of the newer blocks of `blocks`; empty: `blocks` are all classic.
    """

    text: str
    blocks: tuple[dict[str, Any], ...] = ()
    classic: tuple[dict[str, Any], ...] = ()


def why_failed(tasks: Iterable[Task]) -> str:
    """Return the message of the first task that failed, if any has one."""
    return next((task.message for task in tasks if task.status.bad and task.message), "")


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Return the seconds from start to end, never below zero, or None if either is unknown."""
    if start is None or end is None:
        return None
    return max(0.0, (end - start).total_seconds())
