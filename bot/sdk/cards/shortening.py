"""Shortens the texts of a job or a change, for a message that is too large. Pure.

The job is shortened before it is rendered, so that no mrkdwn token, entity or fence is cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.sdk.cards import blocks, job_text

if TYPE_CHECKING:
    from bot.sdk.models import Change, Detail, Job, Task


@dataclass(frozen=True)
class TextLimits:
    """How long a job's texts may be, in UTF-16 units."""

    line: int  # a name, a provider's word, a detail's label or value
    log: int  # a message; its end is kept


LEVELS = (  # tried in this order; logs become shorter before names do
    TextLimits(line=100, log=1_200),
    TextLimits(line=100, log=600),
    TextLimits(line=100, log=300),
    TextLimits(line=100, log=150),
    TextLimits(line=60, log=150),
    TextLimits(line=40, log=100),
    TextLimits(line=20, log=60),
    TextLimits(line=8, log=10),
)


def shorten_job(job: Job, limits: TextLimits) -> Job:
    """Return the job with shortened texts; its id and its URL stay whole."""
    return job.replace(
        name=blocks.clip(job_text.job_name(job), limits.line),
        native_status=_line(job.native_status, limits),
        type=_line(job.type, limits),
        message=blocks.tail(job.message, limit=limits.log),
        tasks=tuple(_task(task, limits) for task in job.tasks),
        details=tuple(_detail(detail, limits) for detail in job.details),
    )


def shorten_change(change: Change, limits: TextLimits) -> Change:
    """Return the change with shortened texts."""
    return change.replace(
        before=change.before and shorten_job(change.before, limits),
        after=shorten_job(change.after, limits),
        newly_failed=tuple(_task(task, limits) for task in change.newly_failed),
        newly_ended=tuple(_task(task, limits) for task in change.newly_ended),
    )


def _task(task: Task, limits: TextLimits) -> Task:
    return task.replace(
        name=blocks.clip(job_text.task_name(task), limits.line),
        native_status=_line(task.native_status, limits),
        message=blocks.tail(task.message, limit=limits.log),
    )


def _detail(detail: Detail, limits: TextLimits) -> Detail:
    return detail.replace(label=_line(detail.label, limits), value=_line(detail.value, limits))


def _line(text: str, limits: TextLimits) -> str:
    return blocks.clip(blocks.one_line(text), limits.line)
