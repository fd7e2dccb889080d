"""Help text and list replies: connections, watches, newest jobs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands.replies import MAX_CHOICES
from bot.sdk import formatting
from bot.sdk.cards import blocks, message_size, tables
from bot.sdk.cards.action_ids import ActionId
from bot.sdk.models import Message, seconds_between

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.providers.connections import Connection, Connections
    from bot.sdk.models import Job, JobRef

MAX_ROWS = 40  # in a list of watches
_JOB_COUNTS = (20, 10, 5, 2, 1)  # shorter lists of recent jobs to try, until the list fits
_MAX_LINES_SIZE = 10_000  # JSON size of the lines of a list


def choose_recent_connection(names: Sequence[str], wrong: str) -> Message:
    """Return a choice between the connections that can list jobs, one button each."""
    if not names:
        return blocks.text_message(
            "None of the connections can list its jobs; ask for one by its id."
        )
    why = f"{blocks.code(wrong)} cannot list its jobs. " if wrong else ""
    buttons = [
        blocks.button(name, ActionId.RUN.with_suffix(n), value=f"recent {name}")
        for n, name in enumerate(names[:MAX_CHOICES])
    ]
    return blocks.text_message(f"{why}Whose newest jobs do you want to see?", *buttons)


def recent_jobs(connection: str, jobs: Sequence[Job]) -> Message:
    """Return a connection's newest jobs, newest first: a data table, or a plain table."""
    if not jobs:
        return blocks.text_message(f"{blocks.escape(connection)} has no jobs to list.")
    counts = (len(jobs), *(count for count in _JOB_COUNTS if count < len(jobs)))
    return message_size.first_that_fits(_recent_jobs(connection, jobs[:n]) for n in counts)


def _recent_jobs(connection: str, jobs: Sequence[Job]) -> Message:
    text = f"The newest {formatting.plural(len(jobs), 'job')} of {blocks.escape(connection)}."
    head = ["Job", "Status", "Began", "Took", "Reference"]
    rows: list[Sequence[tables.Cell]] = [head, *(_recent_job_row(job) for job in jobs)]
    begin = blocks.section(text)
    sortable = tables.data_table(text, rows)
    return Message(text=text, blocks=(begin, sortable), classic=(begin, tables.table(rows)))


def _recent_job_row(job: Job) -> list[tables.Cell]:
    began = job.started_at or job.created_at
    took = seconds_between(job.started_at, job.finished_at)
    return [
        job.name,
        str(formatting.status_label(job.status)),
        blocks.date_element(began) if began else "",
        formatting.duration(took) if took is not None else "",
        str(job.ref),
    ]


def help_text(command: str, connections: Connections, bot: str, known: JobRef | None) -> Message:
    """Return the help text. `known`: a job to use in its examples; they work when copied."""
    example = str(known) if known else _placeholder(connections)
    asked = blocks.code(f"{command} {example}")
    begin, end = (blocks.code(f"{command} {verb} {example}") for verb in ("watch", "unwatch"))
    lines = [
        f"• {asked} shows the job; while it lives, its thread tells every change",
        f"• {blocks.code(f'{command} peek {example}')} shows it to you only",
        f"• {begin} and {end} begin and end following",
        f"• `{command} list` lists what is followed here",
        *_recent_help_line(command, connections),
        f"• `{command} why {example}` shows which updates of a job were sent or deferred, and why",
        f"• `{command} noise` shows a week of updates here, and what would have avoided most",
        f"• `{command} connections` lists the systems that can be asked",
        (
            f"• `{command} settings` shows and changes what is told in this channel;"
            f" `{command} quiet`, `{command} normal` and `{command} verbose` do so in a word,"
            f" `{command} set` for one thing, and `{command} default` goes back"
        ),
        (
            f"• {blocks.mention(bot) or '@jobthread'} how is {blocks.code(example)} doing?"
            " does the same in channels, threads and direct messages; a job's URL works too"
        ),
    ]
    text = "Ask for a job by its reference, `connection:id`."
    shown = (blocks.section(text), blocks.section("\n".join(lines)))
    return Message(text=f"{text} {'For example' if known else 'As in'}: {asked}", blocks=shown)


def _recent_help_line(command: str, connections: Connections) -> list[str]:
    listable = [each.name for each in connections if each.lists_jobs]
    return [f"• `{command} recent {listable[0]}` lists its newest jobs"] if listable else []


def _placeholder(connections: Connections) -> str:
    """Return a placeholder for the help text that cannot be mistaken for a real job."""
    return f"{next(iter(connections.names), 'connection')}:<job id>"


def connection_list(connections: Connections, known: Mapping[str, JobRef]) -> Message:
    """Return the configured connections, each with an example job if one is known."""
    if not connections:
        return blocks.text_message(
            "No connection is set up yet. The operator of this bot adds one to `jobthread.toml`."
        )
    lines = [_connection_line(each, known.get(each.name)) for each in connections]
    text = f"{formatting.plural(len(lines), 'connection')} can be asked."
    return Message(text=text, blocks=(blocks.section(text), *_listed(lines)))


def _listed(lines: Sequence[str], most: int | None = None) -> list[blocks.Block]:
    """Return the lines that fit into one message, and how many others there are."""
    kept = list(message_size.first_lines(lines[:most], _MAX_LINES_SIZE))
    left = len(lines) - len(kept)
    return [*blocks.paragraphs(kept), *([blocks.context(f"… and {left:,} more")] if left else [])]


def _connection_line(connection: Connection, known: JobRef | None) -> str:
    title = blocks.escape(connection.title)
    example = (
        f"such as {blocks.code(str(known))}"
        if known
        else blocks.code(f"{connection.name}:<job id>")
    )
    return f"• *{connection.name}* · {title}, {example}"


def watch_list(rows: Sequence[tuple[str, Job | None, str | None]], command: str) -> Message:
    """Return the watches of a channel. A row: reference, last job snapshot, link to the card."""
    if not rows:
        return blocks.text_message(f"Nothing is followed here. `{command} help` shows how.")
    text = f"{formatting.plural(len(rows), 'job is', 'jobs are')} followed here."
    lines = [_watch_line(*row) for row in rows]
    return Message(text=text, blocks=(blocks.section(text), *_listed(lines, MAX_ROWS)))


def _watch_line(ref: str, job: Job | None, link: str | None) -> str:
    name = blocks.escape(blocks.one_line(job.name), 150) if job else blocks.code(ref)
    titled = f"<{link}|{name}>" if link else name
    state = f"{formatting.status_label(job.status)} · " if job else ""
    return f"• {state}{titled} · {blocks.code(ref)}"
