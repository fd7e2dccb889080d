"""Script of a simulated job: computes the API response at a given time. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

StatusChanges = tuple[
    tuple[float, int], ...
]  # seconds since the job started → status code from then on

PREPARING, RUNNING, SUCCESS, FAILED, INTERRUPTED, STOPPING = range(6)
TERMINAL_CODES = frozenset({SUCCESS, FAILED, INTERRUPTED})
ZONE = timezone(timedelta(hours=8))  # of the tasks' times
STOPPING_SECONDS = 4.0


@dataclass(frozen=True)
class Step:
    """One task: its algorithm, its duration and its final status code."""

    name: str
    seconds: float = 8.0
    final_code: int = SUCCESS


@dataclass(frozen=True)
class JobScript:
    """A job: tasks in sequence, until one fails or the job is stopped."""

    id: int
    name: str
    steps: tuple[Step, ...] = ()
    queued_seconds: float = 3.0
    stopped_after: float | None = None  # seconds
    began_seconds_ago: float = 0.0  # before the first request


def status_changes(script: JobScript) -> tuple[StatusChanges, list[StatusChanges]]:
    """Return the times at which the job and each of its tasks change status."""
    now, ends, tasks = script.queued_seconds, SUCCESS, list[StatusChanges]()
    for step in script.steps:
        if ends == FAILED:
            tasks.append(((0, PREPARING),))
            continue
        tasks.append(((0, PREPARING), (now, RUNNING), (now + step.seconds, step.final_code)))
        now, ends = now + step.seconds, step.final_code
    job: StatusChanges = ((0, PREPARING), (script.queued_seconds, RUNNING), (now, ends))
    stop = script.stopped_after
    if stop is None:
        return job, tasks
    return _stopped(job, stop), [_stopped(marks, stop) for marks in tasks]


def _stopped(marks: StatusChanges, at: float) -> StatusChanges:
    """Return the status changes of a stopped job: a running part stops after a delay."""
    before = tuple(mark for mark in marks if mark[0] < at)
    if before[-1][1] != RUNNING:
        return before
    return (*before, (at, STOPPING), (at + STOPPING_SECONDS, INTERRUPTED))


def payload(script: JobScript, began: datetime, now: datetime) -> dict[str, Any]:
    """Return the API response at a given time, with all tasks."""
    at = (now - began).total_seconds()
    job, tasks = status_changes(script)
    steps = enumerate(zip(script.steps, tasks, strict=True))
    return {
        "id": script.id,
        "name": script.name,
        "workflowId": "3992429968",
        "workflowName": script.name.rpartition("_")[0] or script.name,
        "status": code_at(job, at),
        "tasks": [_task(script, n, step, marks, began, at) for n, (step, marks) in steps],
        "runBeginTime": _milliseconds(began, _first(job, at, RUNNING)),
        "runEndTime": _milliseconds(began, _ended(job, at)),
        "createTime": _milliseconds(began, 0.0),
    }


def code_at(marks: StatusChanges, at: float) -> int:
    """Return the status code at a given time."""
    return next(code for second, code in reversed(marks) if second <= at or not second)


def _task(
    script: JobScript, number: int, step: Step, marks: StatusChanges, began: datetime, at: float
) -> dict[str, Any]:
    return {
        "id": f"{script.id:028x}{number:04x}",
        "name": step.name,
        "runBeginTime": _rfc3339(began, _first(marks, at, RUNNING)),
        "runEndTime": _rfc3339(began, _ended(marks, at)),
        "status": code_at(marks, at),
    }


def _first(marks: StatusChanges, at: float, code: int) -> float | None:
    return next((second for second, each in marks if each == code and second <= at), None)


def _ended(marks: StatusChanges, at: float) -> float | None:
    return next((second for second, code in marks if code in TERMINAL_CODES and second <= at), None)


def _milliseconds(began: datetime, seconds: float | None) -> int:
    """Return a time in the format of jobs; 0 for none."""
    return 0 if seconds is None else int((began.timestamp() + seconds) * 1000)


def _rfc3339(began: datetime, seconds: float | None) -> str:
    """Return a time in the format of tasks; no time is Go's zero time."""
    if seconds is None:
        return "0001-01-01T00:00:00Z"
    return (began + timedelta(seconds=seconds)).astimezone(ZONE).isoformat(timespec="seconds")
