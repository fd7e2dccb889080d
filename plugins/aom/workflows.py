"""Parses AOM's workflow list and execution history; finds the newest execution. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import RootModel

from bot.sdk.models import Job, JobRef, Status
from bot.sdk.payload import Moment, Rows, Word
from plugins.aom.translator import STATUSES, Execution, status_of
from plugins.huaweicloud.payload import AnyCase

if TYPE_CHECKING:
    from collections.abc import Iterator

NEWEST_FIRST = {"sort_field": "last_execution_start_time", "sort_type": "DESC"}
LARGEST = 100  # workflows in one page


class History(RootModel[tuple[Execution, ...]]):
    """All executions of a workflow: a bare array, in no documented order."""


class WorkflowPayload(AnyCase):
    """A workflow of the list, with its newest execution."""

    id: Word = ""
    name: Word = ""
    type: Word = ""
    status: Word = ""
    last_execution_id: Word = ""
    last_execution_start_time: Moment = None
    last_execution_end_time: Moment = None


class Listing(AnyCase):
    """One page of workflows."""

    elements: Rows[WorkflowPayload]

    def jobs(self, connection: str) -> Iterator[Job]:
        """Return the newest execution of each workflow that has one."""
        for payload in self.elements:
            if payload.id and payload.last_execution_id:
                yield last_execution(connection, payload)


def last_execution(connection: str, payload: WorkflowPayload) -> Job:
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


def newest(history: History) -> Execution | None:
    """Return the execution that started last; an active one that has not started is newer still."""
    return max((each for each in history.root if each.execution_id), key=_age, default=None)


def _age(payload: Execution) -> tuple[bool, float]:
    if payload.begin_time is None:
        return not status_of(payload).terminal, 0.0
    return False, payload.begin_time.timestamp()
