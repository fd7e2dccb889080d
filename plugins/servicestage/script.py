"""Script of a simulated job: computes the API response at a given time. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

StatusChanges = tuple[tuple[float, str], ...]  # seconds since the job started → status from then on

TERMINAL_STATUSES = frozenset(
    {"SUCCEEDED", "FAILED", "CANCELLED", "PARTIALLY_FAILED", "SKIPPED", "ROLLBACKED"}
)


@dataclass(frozen=True)
class JobStep:
    """One task: its duration, its final status and its message."""

    name: str
    seconds: float = 7.0
    final_status: str = "SUCCEEDED"
    message: str = ""


@dataclass(frozen=True)
class JobScript:
    """A job: steps in sequence, until one of them fails."""

    id: str
    steps: tuple[JobStep, ...] = ()
    type: str = "PROVISION"
    queued_seconds: float = 3.0
    final_status: str = "SUCCEEDED"  # the job's status if every step succeeds
    rolls_back: bool = False  # undo the finished steps after a failure, in reverse
    rollback_seconds: float = 4.0  # per step
    began_seconds_ago: float = 0.0  # before the first request


@dataclass(frozen=True)
class JobTimeline:
    """The times at which a job and each of its tasks change status."""

    job: StatusChanges
    tasks: tuple[StatusChanges, ...]
    messages: tuple[str, ...]  # of each ended task


def job_timeline(script: JobScript) -> JobTimeline:
    """Return the status changes that a script describes."""
    tasks: list[StatusChanges] = []
    now, has_failed = script.queued_seconds, False
    for step in script.steps:
        if has_failed:
            tasks.append(((0, "SUBMITTED"), (now, "SKIPPED")))
            continue
        tasks.append(((0, "SUBMITTED"), (now, "RUNNING"), (now + step.seconds, step.final_status)))
        now += step.seconds
        has_failed = step.final_status == "FAILED"
    end = "FAILED" if has_failed else script.final_status
    job: StatusChanges = ((0, "SUBMITTED"), (script.queued_seconds, "RUNNING"), (now, end))
    whole = JobTimeline(job, tuple(tasks), tuple(step.message for step in script.steps))
    return _rolled_back(whole, now, script) if has_failed and script.rolls_back else whole


def _rolled_back(whole: JobTimeline, now: float, script: JobScript) -> JobTimeline:
    job: StatusChanges = (*whole.job[:-1], (now, "ROLLBACKING"))
    tasks = list(whole.tasks)
    for number in reversed(range(len(tasks))):
        if tasks[number][-1][1] == "SUCCEEDED":
            end = now + script.rollback_seconds
            tasks[number] = (*tasks[number], (now, "ROLLBACKING"), (end, "ROLLBACKED"))
            now = end
    return replace(whole, job=(*job, (now, "ROLLBACKED")), tasks=tuple(tasks))


def finish(whole: JobTimeline, at: float, word: str) -> JobTimeline:
    """Return the course in which the job and its open tasks get this status now."""
    tasks = tuple(_closed(marks, at, word) for marks in whole.tasks)
    return replace(whole, job=_with_status(whole.job, at, word), tasks=tasks)


def fail(whole: JobTimeline, at: float, step: int, message: str) -> JobTimeline:
    """Return the course in which the job fails now, at this step (from 0)."""
    words = ["SUCCEEDED"] * step + ["FAILED"] + ["SKIPPED"] * (len(whole.tasks) - step - 1)
    tasks = [_closed(marks, at, word) for marks, word in zip(whole.tasks, words, strict=True)]
    tasks[step] = _with_status(whole.tasks[step], at, "FAILED")
    messages = tuple(message if n == step else text for n, text in enumerate(whole.messages))
    return JobTimeline(_with_status(whole.job, at, "FAILED"), tuple(tasks), messages)


def _closed(marks: StatusChanges, at: float, word: str) -> StatusChanges:
    return marks if _status_at(marks, at)[1] in TERMINAL_STATUSES else _with_status(marks, at, word)


def _with_status(marks: StatusChanges, at: float, word: str) -> StatusChanges:
    return (*(mark for mark in marks if mark[0] < at), (at, word))


def _status_at(marks: StatusChanges, at: float) -> tuple[float, str]:
    """Return the status at a given time, and since when it holds."""
    return [mark for mark in marks if mark[0] <= at][-1] if at >= marks[0][0] else marks[0]


def payload(
    script: JobScript, whole: JobTimeline, began: datetime, now: datetime
) -> dict[str, Any]:
    """Return the API response at a given time, with all tasks."""
    at = (now - began).total_seconds()
    return {
        "job": {
            "execution_status": _status_at(whole.job, at)[1],
            "job_id": script.id,
            "job_type": script.type,
        },
        "tasks": [_task(script, whole, number, began, at) for number in range(len(script.steps))],
        "task_count": len(script.steps),
    }


def _task(
    script: JobScript, whole: JobTimeline, number: int, began: datetime, at: float
) -> dict[str, Any]:
    marks, message = whole.tasks[number], whole.messages[number]
    since, word = _status_at(marks, at)
    starts = next((second for second, name in marks if name != "SUBMITTED"), 0.0)
    messages = {"message": message} if message and word in TERMINAL_STATUSES - {"SKIPPED"} else {}
    return {
        "task_id": f"Task-{script.id.removeprefix('JOB')[:-4]}{number:04x}",
        "task_index": number,
        "task_name": script.steps[number].name,
        "task_status": word,
        "created_at": _stamp(began, min(starts, at)),
        "update_at": _stamp(began, since),
        "messages": json.dumps(messages),
    }


def _stamp(began: datetime, seconds: float) -> str:
    """Return a time as the API writes it: no trailing zeros in the fraction."""
    text = (began + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
    whole, _, fraction = text.removesuffix("+00:00").partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}Z"
