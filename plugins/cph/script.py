"""Script of a simulated request: computes the API's jobs at a given time. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

RUNNING, SUCCESS, FAILURE = 1, 2, -1


@dataclass(frozen=True)
class PhoneJob:
    """An operation on one phone, or on the server if no phone is given."""

    phone: str = ""
    seconds: float = 8.0
    status: int = SUCCESS  # at the end
    error_code: str = ""
    error_msg: str = ""
    output: str = ""  # execute_msg
    server: str = "1e223c8e-3ad0-4bf0-a837-bc90d4f91d01"


@dataclass(frozen=True)
class RequestScript:
    """A request: all its jobs start at once."""

    id: str
    jobs: tuple[PhoneJob, ...]
    began_seconds_ago: float = 0.0  # before the first request


def job_id(request: str, number: int) -> str:
    """Return the id of a request's job, derived from both so that it is stable."""
    return hashlib.blake2b(f"{request}/{number}".encode(), digest_size=16).hexdigest()


def payload(
    script: RequestScript, began: datetime, now: datetime, status: int | None = None
) -> list[dict[str, Any]]:
    """Return the jobs at a given time; `status`, if set, is the status of all of them."""
    return [
        _job(script, number, began, now=now, forced=status) for number in range(len(script.jobs))
    ]


def _job(
    script: RequestScript, number: int, began: datetime, *, now: datetime, forced: int | None
) -> dict[str, Any]:
    job = script.jobs[number]
    end = began + timedelta(seconds=job.seconds)
    status = forced if forced is not None else job.status if now >= end else RUNNING
    ended = status in (SUCCESS, FAILURE)
    target = {"phone_id": job.phone} if job.phone else {}
    return target | {
        "server_id": job.server,
        "node_id": job.server,
        "job_id": job_id(script.id, number),
        "begin_time": _stamp(began),
        "end_time": _stamp(min(now, end)) if ended else "",
        "status": status,
        "error_code": job.error_code if status == FAILURE else "",
        "error_msg": job.error_msg if status == FAILURE else "",
        "execute_msg": job.output if ended else "",
    }


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
