"""What a simulated job does, as a script: from a script and a moment to the API's answer. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

Marks = tuple[tuple[float, str], ...]  # seconds since the job began → the word from then on

ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "PARTIALLY_FAILED", "SKIPPED", "ROLLBACKED"})


@dataclass(frozen=True)
class JobStep:
    """One task: how long it runs, the word it ends with, and what it then says."""

    name: str
    seconds: float = 7.0
    ends: str = "SUCCEEDED"
    message: str = ""


@dataclass(frozen=True)
class JobScript:
    """A job: steps one after the other, until one of them fails."""

    id: str
    steps: tuple[JobStep, ...] = ()
    type: str = "PROVISION"
    queued_seconds: float = 3.0
    ends: str = "SUCCEEDED"  # the job's word when every step went well
    rolls_back: bool = False  # undo the finished steps after one failed, in reverse
    rollback_seconds: float = 4.0  # for each of them
    began_seconds_ago: float = 0.0  # when it is first asked for


@dataclass(frozen=True)
class Course:
    """When a job and each of its tasks take on which word."""

    job: Marks
    tasks: tuple[Marks, ...]
    messages: tuple[str, ...]  # what each task says once it has ended


def course(script: JobScript) -> Course:
    """Return the course that a script describes."""
    tasks: list[Marks] = []
    now, failed = script.queued_seconds, False
    for step in script.steps:
        if failed:
            tasks.append(((0, "SUBMITTED"), (now, "SKIPPED")))
            continue
        tasks.append(((0, "SUBMITTED"), (now, "RUNNING"), (now + step.seconds, step.ends)))
        now += step.seconds
        failed = step.ends == "FAILED"
    end = "FAILED" if failed else script.ends
    job: Marks = ((0, "SUBMITTED"), (script.queued_seconds, "RUNNING"), (now, end))
    whole = Course(job, tuple(tasks), tuple(step.message for step in script.steps))
    return _rolled_back(whole, now, script) if failed and script.rolls_back else whole


def _rolled_back(whole: Course, now: float, script: JobScript) -> Course:
    job: Marks = (*whole.job[:-1], (now, "ROLLBACKING"))
    tasks = list(whole.tasks)
    for number in reversed(range(len(tasks))):
        if tasks[number][-1][1] == "SUCCEEDED":
            end = now + script.rollback_seconds
            tasks[number] = (*tasks[number], (now, "ROLLBACKING"), (end, "ROLLBACKED"))
            now = end
    return replace(whole, job=(*job, (now, "ROLLBACKED")), tasks=tuple(tasks))


def finished(whole: Course, at: float, word: str) -> Course:
    """Return the course whose job has this word from now on; its open tasks take it over."""
    tasks = tuple(_closed(marks, at, word) for marks in whole.tasks)
    return replace(whole, job=_turned(whole.job, at, word), tasks=tasks)


def failed(whole: Course, at: float, step: int, message: str) -> Course:
    """Return the course whose job fails now, at this step (from 0)."""
    words = ["SUCCEEDED"] * step + ["FAILED"] + ["SKIPPED"] * (len(whole.tasks) - step - 1)
    tasks = [_closed(marks, at, word) for marks, word in zip(whole.tasks, words, strict=True)]
    tasks[step] = _turned(whole.tasks[step], at, "FAILED")
    messages = tuple(message if n == step else said for n, said in enumerate(whole.messages))
    return Course(_turned(whole.job, at, "FAILED"), tuple(tasks), messages)


def _closed(marks: Marks, at: float, word: str) -> Marks:
    return marks if _word(marks, at)[1] in ENDED else _turned(marks, at, word)


def _turned(marks: Marks, at: float, word: str) -> Marks:
    return (*(mark for mark in marks if mark[0] < at), (at, word))


def _word(marks: Marks, at: float) -> tuple[float, str]:
    """Return the word of a moment, and since when it holds."""
    return [mark for mark in marks if mark[0] <= at][-1] if at >= marks[0][0] else marks[0]


def payload(script: JobScript, whole: Course, began: datetime, now: datetime) -> dict[str, Any]:
    """Return what the API answers at a moment, with all tasks."""
    at = (now - began).total_seconds()
    return {
        "job": {
            "execution_status": _word(whole.job, at)[1],
            "job_id": script.id,
            "job_type": script.type,
        },
        "tasks": [_task(script, whole, number, began, at) for number in range(len(script.steps))],
        "task_count": len(script.steps),
    }


def _task(
    script: JobScript, whole: Course, number: int, began: datetime, at: float
) -> dict[str, Any]:
    marks, said = whole.tasks[number], whole.messages[number]
    since, word = _word(marks, at)
    starts = next((second for second, name in marks if name != "SUBMITTED"), 0.0)
    told = {"message": said} if said and word in ENDED - {"SKIPPED"} else {}
    return {
        "task_id": f"Task-{script.id.removeprefix('JOB')[:-4]}{number:04x}",
        "task_index": number,
        "task_name": script.steps[number].name,
        "task_status": word,
        "created_at": _stamp(began, min(starts, at)),
        "update_at": _stamp(began, since),
        "messages": json.dumps(told),
    }


def _stamp(began: datetime, seconds: float) -> str:
    """Return a moment as the API writes it: no zeros at the end of the fraction."""
    text = (began + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
    whole, _, fraction = text.removesuffix("+00:00").partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}Z"
