"""Renders a card as terminal output, for `jobthread show`. Pure."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from rich.console import Group
from rich.markup import escape as _escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bot.sdk import formatting
from bot.sdk.cards import blocks, job_text, task_list
from bot.sdk.models import Status, seconds_between

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import RenderableType

    from bot.sdk.models import Job, Message, Task

_STYLES = {
    Status.SUCCEEDED: "green",
    Status.FAILED: "red",
    Status.PARTIAL: "yellow",
    Status.WAITING: "yellow",
    Status.RUNNING: "cyan",
}
_LABELLED = re.compile(r"<[^<>|]*\|([^<>]*)>")  # <!date^…|12:03 UTC>, <https://…|here>
_BARE = re.compile(r"\s*<[@!#][^<>]*>")  # <@U0ASKER>
_ADDRESS = re.compile(r"<([^<>]*)>")  # <https://…>


def render(message: Message, job: Job) -> RenderableType:
    """Return the card as a panel: sentence, facts, tasks and the logs of failed tasks."""
    parts: list[RenderableType] = [Text(readable_text(message.text), style="bold"), _facts(job)]
    if job.tasks:
        parts += [Text(), _tasks(job)]
    for title, log in _logs(job):
        parts += [Text(), Panel(Text(log), title=_escape(title), title_align="left")]
    title = f"{formatting.status_label(job.status).emoji} {_escape(job_text.job_name(job))}"
    style = _STYLES.get(job.status, "none")
    return Panel(Group(*parts), title=title, title_align="left", border_style=style)


def readable_text(text: str) -> str:
    """Return a message's text without Slack's markup and entities."""
    bare = _BARE.sub("", _LABELLED.sub(r"\1", blocks.clean(text)))
    return html.unescape(_ADDRESS.sub(r"\1", bare))


def _facts(job: Job) -> Table:
    grid = Table.grid(padding=(0, 2))
    for label, value in _fact_rows(job):
        if blocks.is_visible(value):
            grid.add_row(Text(blocks.one_line(label), style="dim"), Text(blocks.one_line(value)))
    return grid


def _fact_rows(job: Job) -> list[tuple[str, str]]:
    address = blocks.web_address(job.url)
    return [
        ("Job", str(job.ref)),
        ("Status", _status(job)),
        ("Progress", task_list.progress(job)),
        ("Created", "" if job.started_at else _local(job.created_at)),
        ("Started", _local(job.started_at)),
        ("Finished", _local(job.finished_at)),
        ("Took", _took(job)),
        ("Type", job.type),
        *((detail.label, detail.value) for detail in job.details),
        ("Console", address or ""),
    ]


def _status(of: Job | Task) -> str:
    word, native = formatting.status_label(of.status).word, job_text.provider_word(of)
    return f"{word} ({native})" if native else word


def _local(time: datetime | None) -> str:
    """Return the time in the machine's time zone."""
    return f"{time.astimezone():%Y-%m-%d %H:%M:%S %Z}" if time else ""


def _took(of: Job | Task) -> str:
    seconds = seconds_between(of.started_at, of.finished_at)
    return formatting.duration(seconds) if seconds is not None else ""


def _tasks(job: Job) -> Table:
    table = Table("Task", "Status", "Started", "Took", expand=True)
    for task in job.tasks:
        status = Text(f"{formatting.status_label(task.status).emoji} {_status(task)}")
        status.stylize(_STYLES.get(task.status, "none"))
        started = f"{task.started_at.astimezone():%H:%M:%S}" if task.started_at else ""
        table.add_row(Text(job_text.task_name(task)), status, started, _took(task))
    return table


def _logs(job: Job) -> list[tuple[str, str]]:
    """Return the failure messages, each with its title."""
    messages = [(job_text.task_failure_text(task), task.message) for task in job.failed_tasks]
    return [
        (title, blocks.tail(log, lines=50, limit=10_000).expandtabs())
        for title, log in [*messages, ("The provider says", job.message)]
        if blocks.is_visible(log)
    ]
