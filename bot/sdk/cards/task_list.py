"""Renders a job's tasks: a plan for a few, a table for many, a plain list as fallback. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sdk import formatting
from bot.sdk.cards import blocks, job_text, message_size, tables
from bot.sdk.models import Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.sdk.cards.blocks import Block
    from bot.sdk.models import Job, Task

MAX_IN_PLAN = 15  # a longer plan is hard to read
MAX_IN_TABLE = 40
MAX_IN_CELLS = 3_500  # units
MAX_LIST_SIZE = 7_500  # JSON size of all tasks; the rest of the card needs the other part
MAX_OUTPUT = 1_500  # units for the messages of all tasks in a plan

# A divisor of the output's limit, and the JSON size of a name; the first that fits is used.
_PLAN_LEVELS = ((1, 480), (2, 480), (2, 240), (4, 120))
_PLAN_WORDS = {
    Status.QUEUED: "pending",
    Status.RUNNING: "in_progress",
    Status.WAITING: "pending",
    Status.SUCCEEDED: "complete",
    Status.PARTIAL: "error",
    Status.FAILED: "error",
    Status.CANCELLED: "pending",  # grey; red would look like a failure
    Status.SKIPPED: "complete",
    Status.UNKNOWN: "in_progress",
}
_URGENCY = (
    {Status.FAILED, Status.PARTIAL},
    {Status.RUNNING},
    {Status.WAITING, Status.UNKNOWN},
    {Status.QUEUED},
)


def render_tasks(job: Job, now: datetime) -> list[Block]:
    """Return the tasks as a plan, or as a table when there are more than 15."""
    if not job.tasks:
        return []
    return [_plan(job, now)] if len(job.tasks) <= MAX_IN_PLAN else _table(job, now)


def render_plain(job: Job, now: datetime) -> list[Block]:
    """Return the tasks as plain lines, as a fallback for plans and tables."""
    if not job.tasks:
        return []
    lines = _first_that_fit([_line(task, now) for task in _by_urgency(job.tasks)[:MAX_IN_TABLE]])
    return [blocks.section(blocks.plain("\n".join(lines))), *_more(len(job.tasks) - len(lines))]


def progress(job: Job) -> str:
    """Return a bar with "4 of 6 done, 1 failed" after it, or "" without tasks."""
    if not job.tasks:
        return ""
    failed = len(job.failed_tasks)
    return formatting.progress_bar(job.finished_tasks, len(job.tasks), failed=failed)


def _plan(job: Job, now: datetime) -> Block:
    limit = min(300, MAX_OUTPUT // max(1, len(job.failed_tasks)))
    for part, name_size in _PLAN_LEVELS:
        output = limit // part
        cards = [_card(n, task, now, output, name_size) for n, task in enumerate(job.tasks, 1)]
        plan = blocks.plan(_title(job), cards)
        if message_size.json_size(plan) <= MAX_LIST_SIZE:
            break
    return plan


def _title(job: Job) -> str:
    """Return the title: the most important fact, as a collapsed plan shows only its title."""
    now = [job_text.task_name(task) for task in job.tasks if task.status is Status.RUNNING]
    wait = [job_text.task_name(task) for task in job.tasks if task.status is Status.WAITING]
    total, failed = formatting.plural(len(job.tasks), "task"), len(job.failed_tasks)
    if wait or now:
        names = formatting.join_names(wait or now, limit=2)
        return f"Waiting for a person: {names}" if wait else f"Now: {names}"
    return f"{failed:,} of {total} failed" if failed else total


def _card(number: int, task: Task, now: datetime, limit: int, name_size: int) -> Block:
    """Return a task of the plan. `limit`: of the output; `name_size`: JSON size of the name."""
    name = message_size.clip(job_text.task_name(task), name_size)
    title = " · ".join(filter(None, [name, _state(task), _took(task, now)]))
    output = task.message if task.status.failed else ""
    return blocks.task_card(
        f"task-{number}", title, _PLAN_WORDS[task.status], output=output, limit=limit
    )


def _state(task: Task) -> str:
    """Return the status in words; a plan's own icons do not distinguish skipped from succeeded."""
    word, native = formatting.status_label(task.status).word, job_text.provider_word(task)
    return f"{word} ({blocks.clip(native, 30)})" if native else word


def _took(task: Task, now: datetime) -> str:
    seconds = job_text.seconds_taken(task, now)
    so_far = "" if task.status.terminal else " so far"
    return f"{formatting.duration(seconds)}{so_far}" if seconds is not None else ""


def _table(job: Job, now: datetime) -> list[Block]:
    tasks = _by_urgency(job.tasks)[:MAX_IN_TABLE]
    rows = [("Status", "Task", "Took"), *(_row(task, now) for task in tasks)]
    table = tables.table(
        rows,
        align=("left", "left", "right"),
        limit=MAX_IN_CELLS,
        max_json_size=MAX_LIST_SIZE,
    )
    return [table, *_more(len(job.tasks) - len(table["rows"]) + 1)]


def _row(task: Task, now: datetime) -> tuple[str, str, str]:
    emoji = formatting.status_label(task.status).emoji
    return f"{emoji} {_state(task)}", job_text.task_name(task), _took(task, now)


def _line(task: Task, now: datetime) -> str:
    took = _took(task, now)
    text = (
        f"{formatting.status_label(task.status).emoji} {job_text.task_name(task)} · {_state(task)}"
    )
    return f"{text} · {took}" if took else text


def _first_that_fit(lines: Sequence[str]) -> list[str]:
    """Return the first lines that fit into one section uncut."""
    shown: list[str] = []
    remaining = blocks.MAX_TEXT
    for line in message_size.first_lines(lines, MAX_LIST_SIZE):
        remaining -= blocks.length(line) + 1
        if remaining < 0:
            break
        shown.append(line)
    return shown


def _more(left: int) -> list[Block]:
    text = f"… and {formatting.plural(left, 'more task', 'more tasks')}"
    return [blocks.context(blocks.plain(text))] if left > 0 else []


def _by_urgency(tasks: Sequence[Task]) -> list[Task]:
    """Sort a long list by urgency: failed, running, waiting, queued, ended."""
    if len(tasks) <= MAX_IN_PLAN:
        return list(tasks)
    return sorted(tasks, key=_urgency)


def _urgency(task: Task) -> int:
    ranks = (rank for rank, statuses in enumerate(_URGENCY) if task.status in statuses)
    return next(ranks, len(_URGENCY))
