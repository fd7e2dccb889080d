"""Parses AOM's workflow list and execution history; finds the newest execution. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import RootModel

from bot.sdk import Job, JobRef, OneOrMany, OptionalText, Status, Timestamp
from plugins.aom.translator import STATUSES, Execution, status_of
from plugins.huaweicloud.payload import CaseInsensitiveModel

if TYPE_CHECKING:
    from collections.abc import Iterator

NEWEST_FIRST = {"sort_field": "last_execution_start_time", "sort_type": "DESC"}
MAX_PAGE_SIZE = 100  # workflows in one page


class History(RootModel[tuple[Execution, ...]]):
    """All executions of a workflow: a bare array, in no documented order."""


class WorkflowPayload(CaseInsensitiveModel):
    """A workflow of the list, with its newest execution."""

    id: OptionalText = ""
    name: OptionalText = ""
    type: OptionalText = ""
    status: OptionalText = ""
    last_execution_id: OptionalText = ""
    last_execution_start_time: Timestamp = None
    last_execution_end_time: Timestamp = None


class WorkflowPage(CaseInsensitiveModel):
    """One page of workflows."""

    elements: OneOrMany[WorkflowPayload]

    def jobs(self, connection: str) -> Iterator[Job]:
        """Return the newest execution of each workflow that has one."""
        for payload in self.elements:
            if payload.id and payload.last_execution_id:
                yield newest_execution_of(connection, payload)


def newest_execution_of(connection: str, payload: WorkflowPayload) -> Job:
    """Return a workflow's newest execution, from the list's fields."""
    status = STATUSES.get(payload.status, Status.UNKNOWN)
    return Job(
        ref=JobRef(connection=connection, id=f"{payload.id}/{payload.last_execution_id}"),
        name=payload.name or f"workflow {payload.id[:8]}",
        status=status,
        native_status=payload.status,
        type=payload.type,
        started_at=payload.last_execution_start_time,
        finished_at=payload.last_execution_end_time if status.terminal else None,
    )


def newest_execution(history: History) -> Execution | None:
    """Return the execution that started last; an active one that has not started is newer still."""
    return max((each for each in history.root if each.execution_id), key=_age, default=None)


def _age(payload: Execution) -> tuple[bool, float]:
    if payload.begin_time is None:
        return not status_of(payload).terminal, 0.0
    return False, payload.begin_time.timestamp()
