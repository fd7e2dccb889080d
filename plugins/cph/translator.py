"""What Cloud Phone says of the jobs of one request, in our words. Pure.

Source: Huawei Cloud's page "Querying Task Statuses" of Cloud Phone Host. What that API calls a
job is done to one phone or one server, so here it is a task; the request is the job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import Detail, Job, JobRef, Status, Task
from bot.providers.payload import Moment, Rows, Word
from plugins.cph import reasons
from plugins.huaweicloud.payload import AnyCase

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ONE = "jobs/"  # before the id of a single job: it looks like that of a request

WORDS = {"1": "running", "2": "success", "-1": "failure"}  # the page's own words for its numbers
STATUSES = {"running": Status.RUNNING, "success": Status.SUCCEEDED, "failure": Status.FAILED}


class JobPayload(AnyCase):
    """One of `jobs`: what is done to one phone or one server."""

    status: Word
    job_id: Word = ""
    phone_id: Word = ""
    server_id: Word = ""
    begin_time: Moment = None
    end_time: Moment = None
    error_code: Word = ""
    error_msg: Word = ""
    execute_msg: Word = ""

    @property
    def word(self) -> str:
        """The page's word for the status; a number without a word stands for itself."""
        return WORDS.get(self.status, self.status) or ("failure" if self.error_code else "")

    @property
    def target(self) -> str:
        """The phone or the server that the job is about."""
        return self.phone_id or self.server_id or self.job_id


class Answer(AnyCase):
    """One page of the answer; its jobs do not tell which request they belong to."""

    jobs: Rows[JobPayload]


def translate(ref: JobRef, payloads: Sequence[JobPayload]) -> Job:
    """Return the job that a request's jobs make up; there is at least one of them."""
    # The API promises no order, and an answer about several requests may have another.
    ordered = sorted(payloads, key=lambda payload: (payload.target, payload.job_id))
    tasks = tuple(_task(payload, number) for number, payload in enumerate(ordered, start=1))
    status = _whole({task.status for task in tasks})
    ends = (task.finished_at for task in tasks if task.finished_at)
    return Job(
        ref=ref,
        name=_name(ref.id),
        status=status,
        native_status=_native(tasks, status),
        started_at=min((task.started_at for task in tasks if task.started_at), default=None),
        finished_at=max(ends, default=None) if status.terminal else None,
        tasks=tasks,
        message=reasons.told(tasks),
        details=tuple(_details(ordered)),
    )


def _name(id_: str) -> str:
    """Return something to call a job by: the API gives it no name."""
    return f"{'job' if id_.startswith(ONE) else 'request'} {id_.removeprefix(ONE)[:8]}"


def _task(payload: JobPayload, number: int) -> Task:
    status = STATUSES.get(payload.word, Status.UNKNOWN)
    why = reasons.reason(payload.error_code, payload.error_msg)
    return Task(
        id=payload.job_id or f"{number}",
        name=payload.target or f"Task {number}",
        status=status,
        native_status=payload.word,
        started_at=payload.begin_time,
        finished_at=payload.end_time if status.terminal else None,
        message="\n".join(filter(None, (why, payload.execute_msg.strip()))),
    )


def _whole(statuses: set[Status]) -> Status:
    """Return how the request stands: it lives as long as one of its jobs may."""
    for living in (Status.RUNNING, Status.UNKNOWN):
        if living in statuses:
            return living
    return next(iter(statuses)) if len(statuses) == 1 else Status.PARTIAL


def _native(tasks: Iterable[Task], status: Status) -> str:
    """Return the word of the jobs that decide; for a request that went both ways there is none."""
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
