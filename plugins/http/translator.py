"""Translates a response into a job, by the settings' expressions. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bot.sdk import AnswerNotUnderstood, Job, JobRef, Status, Task, parse_time
from plugins.http.coercion import to_text, to_word
from plugins.http.expressions import find

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plugins.http.settings import HttpSettings


def translate(ref: JobRef, answer: Any, settings: HttpSettings) -> Job:
    """Return the job in a response; raises AnswerNotUnderstood without a status."""
    native = to_word(find(settings.status, answer))
    if not native:
        raise _missing_value(ref, "status")
    status = status_of(native, settings.status_table)
    zone = ZoneInfo(settings.timezone)
    tasks = tuple(_tasks(ref, answer, settings))
    finished = parse_time(find(settings.finished, answer), zone)
    return Job(
        ref=ref,
        name=to_text(find(settings.name, answer)) or f"job {ref.id}",
        status=status,
        native_status=native,
        type=to_text(find(settings.type, answer)),
        created_at=parse_time(find(settings.created, answer), zone),
        started_at=parse_time(find(settings.started, answer), zone),
        finished_at=finished if status.terminal else None,
        tasks=tasks,
        message=to_text(find(settings.message, answer)) or _failure_message(tasks),
    )


def status_of(native: str, words: Mapping[str, Status]) -> Status:
    """Return the status for the API's word, ignoring case; UNKNOWN for a new word."""
    if native in words:
        return words[native]
    folded = native.casefold()
    matches = (status for known, status in words.items() if known.casefold() == folded)
    return next(matches, Status.UNKNOWN)


def find_tasks(answer: Any, settings: HttpSettings) -> list[Any] | None:
    """Return the tasks in a response; None if the value found is not a list."""
    found = find(settings.tasks, answer)
    return [] if found is None else found if isinstance(found, list) else None


def _tasks(ref: JobRef, answer: Any, settings: HttpSettings) -> Iterator[Task]:
    items = find_tasks(answer, settings)
    if items is None:
        raise _missing_value(ref, "tasks")
    seen: set[str] = set()
    for number, item in enumerate(items, start=1):
        task = _task(item, number, settings)
        if task.id in seen:  # a repeated step
            task = task.replace(id=f"{task.id}#{number}")
        seen.add(task.id)
        yield task


def _task(item: Any, number: int, settings: HttpSettings) -> Task:
    native = to_word(find(settings.task_status, item))
    status = status_of(native, settings.task_status_table)
    zone = ZoneInfo(settings.timezone)
    finished = parse_time(find(settings.task_finished, item), zone)
    return Task(
        id=to_word(find(settings.task_id, item)) or str(number),
        name=to_text(find(settings.task_name, item)) or f"Task {number}",
        status=status,
        native_status=native,
        started_at=parse_time(find(settings.task_started, item), zone),
        finished_at=finished if status.terminal else None,
        message=to_text(find(settings.task_message, item)),
    )


def _failure_message(tasks: tuple[Task, ...]) -> str:
    """Return the message of the first failed task that has one."""
    return next((task.message for task in tasks if task.status.failed and task.message), "")


def _missing_value(ref: JobRef, key: str) -> AnswerNotUnderstood:
    return AnswerNotUnderstood(
        f"The answer of {ref.connection} has no {key} where its settings look for it.",
        next_step=f"The operator of this bot must check the expression `{key}`; "
        "with `example` set, `jobthread check` tries it.",
    )
