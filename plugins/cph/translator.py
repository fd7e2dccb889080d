"""Translates the jobs of one Cloud Phone request into a job. Pure.

Source: Huawei Cloud's page "Querying Task Statuses" of Cloud Phone Host. That API's job acts on one
phone or one server, so it becomes a task here; the request becomes the job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sdk import Detail, Job, JobRef, OneOrMany, OptionalText, Status, Task, Timestamp
from plugins.cph import failure_text
from plugins.huaweicloud.payload import CaseInsensitiveModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

JOB_PREFIX = "jobs/"  # prefix of a single job's id, which looks like a request's

STATUS_NAMES = {"1": "running", "2": "success", "-1": "failure"}  # the page's names of its codes
STATUSES = {"running": Status.RUNNING, "success": Status.SUCCEEDED, "failure": Status.FAILED}


class JobPayload(CaseInsensitiveModel):
    """One of `jobs`: an operation on one phone or one server."""

    status: OptionalText
    job_id: OptionalText = ""
    phone_id: OptionalText = ""
    server_id: OptionalText = ""
    begin_time: Timestamp = None
    end_time: Timestamp = None
    error_code: OptionalText = ""
    error_msg: OptionalText = ""
    execute_msg: OptionalText = ""

    @property
    def status_name(self) -> str:
        """The page's name of the status; an unknown number is its own name."""
        return STATUS_NAMES.get(self.status, self.status) or ("failure" if self.error_code else "")

    @property
    def target(self) -> str:
        """The phone or the server that the job acts on."""
        return self.phone_id or self.server_id or self.job_id


class Answer(CaseInsensitiveModel):
    """One page of the response; its jobs do not name their request."""

    jobs: OneOrMany[JobPayload]


def translate(ref: JobRef, payloads: Sequence[JobPayload]) -> Job:
    """Return the job of a request's jobs; there is at least one of them."""
    # The API documents no order, and a batch response may use a different one.
    ordered = sorted(payloads, key=lambda payload: (payload.target, payload.job_id))
    tasks = tuple(_task(payload, number) for number, payload in enumerate(ordered, start=1))
    status = _overall_status({task.status for task in tasks})
    ends = (task.finished_at for task in tasks if task.finished_at)
    return Job(
        ref=ref,
        name=_name(ref.id),
        status=status,
        native_status=_native_status(tasks, status),
        started_at=min((task.started_at for task in tasks if task.started_at), default=None),
        finished_at=max(ends, default=None) if status.terminal else None,
        tasks=tasks,
        message=failure_text.failure_text(tasks),
        details=tuple(_details(ordered)),
    )


def _name(id_: str) -> str:
    """Return a name for the job, since the API has none."""
    return (
        f"{'job' if id_.startswith(JOB_PREFIX) else 'request'} {id_.removeprefix(JOB_PREFIX)[:8]}"
    )


def _task(payload: JobPayload, number: int) -> Task:
    status = STATUSES.get(payload.status_name, Status.UNKNOWN)
    why = failure_text.format_reason(payload.error_code, payload.error_msg)
    return Task(
        id=payload.job_id or f"{number}",
        name=payload.target or f"Task {number}",
        status=status,
        native_status=payload.status_name,
        started_at=payload.begin_time,
        finished_at=payload.end_time if status.terminal else None,
        message="\n".join(filter(None, (why, payload.execute_msg.strip()))),
    )


def _overall_status(statuses: set[Status]) -> Status:
    """Return the request's status: active as long as one of its jobs may be."""
    for active in (Status.RUNNING, Status.UNKNOWN):
        if active in statuses:
            return active
    return next(iter(statuses)) if len(statuses) == 1 else Status.PARTIAL


def _native_status(tasks: Iterable[Task], status: Status) -> str:
    """Return the native status of the jobs that decide; empty if they ended differently."""
    words = (task.native_status for task in tasks if task.status is status)
    return next(words, "")


def _details(payloads: Iterable[JobPayload]) -> Iterator[Detail]:
    phones = {payload.phone_id for payload in payloads} - {""}
    servers = {payload.server_id for payload in payloads} - {""}
    if phones:
        yield Detail(label="Phones", value=str(len(phones)))
    if len(servers) == 1:
        yield Detail(label="Server", value=servers.pop())
    elif servers:
        yield Detail(label="Servers", value=str(len(servers)))
