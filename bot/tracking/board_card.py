"""Renders boards: several jobs in one message, a row each, or in ephemeral pages. Pure; no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.sdk import formatting
from bot.sdk.cards import blocks, job_text, message_size, overflow_menu, tables
from bot.sdk.cards.action_ids import ActionId
from bot.sdk.models import Message, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from bot.sdk.cards.blocks import Block
    from bot.sdk.cards.tables import Cell
    from bot.sdk.models import Job

MAX_ROWS = 50  # on one board
TABLE_PAGE_SIZE = 15  # of the table on one page
MAX_WARNINGS = 3  # shown as sentences
MAX_URL_LENGTH = 300  # of a link in a row, in characters
_PAGE_SIZES = (25, 15, 10, 5, 2, 1)  # page sizes to try, until the page fits
_ROW_COUNTS = (40, 30, *_PAGE_SIZES)

_URGENCY = (
    {Status.FAILED, Status.PARTIAL},
    {Status.RUNNING, Status.UNKNOWN},
    {Status.WAITING},
    {Status.QUEUED},
)


@dataclass(frozen=True, kw_only=True)
class BoardRow:
    """One job on a board."""

    id: str  # of its watch; value of the menu's option
    job: Job
    followed: bool = True
    missing: bool = False  # the provider no longer finds the job
    trouble: str = ""  # why the last poll failed


@dataclass(frozen=True, kw_only=True)
class BoardContext:
    """Context for rendering a board."""

    id: str  # of the board; value of its buttons
    checked_at: datetime  # aware; "so far" is counted up to this time
    closed: bool = False  # no job on it is followed any more; the board is final


@dataclass(frozen=True)
class _DetailLevel:
    """How much of each job is shown; the least important is left out first."""

    links: bool = False
    bars: bool = False
    references: bool = True
    choice: bool = True  # whether the board has a menu of its jobs
    name_units: int = 60


_FULL = _DetailLevel(links=True, bars=True, name_units=120)
_MEDIUM = _DetailLevel()
_MINIMAL = _DetailLevel(references=False, choice=False, name_units=40)


def render_board(rows: Sequence[BoardRow], view: BoardContext) -> Message:
    """Return the board: all rows if they fit, else the most urgent and a button for the rest."""
    return message_size.first_that_fits(_boards(sort_by_urgency(rows), view))


def _boards(ordered: Sequence[BoardRow], view: BoardContext) -> Iterator[Message]:
    """Yield the board with more and more left out."""
    for level in (_FULL, _DetailLevel(links=True), _MEDIUM, _MINIMAL):
        yield _board(ordered, ordered, view, level)
    for most in _ROW_COUNTS:
        yield _board(ordered, ordered[:most], view, _MINIMAL)
    yield Message(text=_text(ordered, view), blocks=(blocks.section(_text(ordered, view)),))


def render_page(rows: Sequence[BoardRow], view: BoardContext, number: int) -> Message:
    """Return one page of the rows, for an ephemeral message; `number` is clamped to 1 … count."""
    ordered = sort_by_urgency(rows)
    for size in _PAGE_SIZES:
        made = [_page(ordered, view, n, size) for n in range(1, _pages(ordered, size) + 1)]
        if all(map(message_size.fits, made)):
            break
    return made[max(1, min(number, len(made))) - 1]


def with_heading(name: str, message: Message) -> Message:
    """Return a thread reply headed by its job's name; a board's thread is about several jobs."""
    shown = blocks.clip(blocks.one_line(name), 120)
    title = blocks.rich_text(blocks.line(blocks.text(shown, bold=True)))
    plain = blocks.context(blocks.plain(shown))
    name = blocks.escape(shown)
    text = message.text if message.text.startswith(name) else f"{name}: {message.text}"
    classic = message.classic or message.blocks
    return Message(
        text=text, blocks=(title, *message.blocks), classic=(plain, *classic) if classic else ()
    )


def row_changed(before: Job, after: Job, now: datetime) -> bool:
    """Whether a job's row or its part of the summary is different."""
    pair = [BoardRow(id="", job=job) for job in (before, after)]
    old, new = ((_row(row, now, _FULL), job_text.failure_text(row.job)) for row in pair)
    return old != new


def sort_by_urgency(rows: Iterable[BoardRow]) -> list[BoardRow]:
    """Return the rows sorted by urgency (failed, running, …, ended), then by name."""
    return sorted(rows, key=lambda row: (_urgency(row.job.status), row.job.name.casefold(), row.id))


def _urgency(status: Status) -> int:
    return next((n for n, group in enumerate(_URGENCY) if status in group), len(_URGENCY))


def counts(rows: Sequence[BoardRow]) -> str:
    """Return "7 of 9 done, 1 failed"."""
    done = sum(row.job.status.terminal for row in rows)
    return formatting.counts(done, len(rows), sum(row.job.status.failed for row in rows))


def summary_sentence(rows: Sequence[BoardRow]) -> str:
    """Return a summary: "7 of 9 done, 1 failed: deploy-api at step 3. Running: web."."""
    bad = _failures(rows)
    return " ".join([f"{counts(rows)}{': ' if bad else ''}{bad}.", *_in_progress(rows)])


def _failures(rows: Sequence[BoardRow]) -> str:
    bad = [job_text.failure_text(row.job) for row in rows if row.job.status.failed]
    return formatting.join_names(bad, limit=3)


def _in_progress(rows: Sequence[BoardRow]) -> list[str]:
    """Return sentences that name the waiting and the running jobs."""
    said: list[str] = []
    for title, status in (("Waiting for a person", Status.WAITING), ("Running", Status.RUNNING)):
        names = [job_text.job_name(row.job) for row in rows if row.job.status is status]
        said += [f"{title}: {formatting.join_names(names, limit=3)}."] if names else []
    return said


def _text(rows: Sequence[BoardRow], view: BoardContext) -> str:
    troubles = " Some could not be checked the last time." if _warnings(rows) else ""
    end = f" {_closing_line(rows)}" if view.closed else ""
    return blocks.escape(f"{summary_sentence(rows)}{troubles}{end}")


def _closing_line(rows: Sequence[BoardRow]) -> str:
    ended = all(row.job.status.terminal for row in rows)
    why = "All jobs have ended" if ended else "None of these jobs is followed here any more"
    return f"{why}: this board does not change any more."


def _board(
    all_: Sequence[BoardRow], shown: Sequence[BoardRow], view: BoardContext, level: _DetailLevel
) -> Message:
    top = [blocks.header(counts(all_)), *_summary_blocks(all_, view)]
    left = len(all_) - len(shown)
    more = [blocks.context(f"… and {formatting.plural(left, 'more job')}")] if left else []
    menu = [_menu(shown)] if level.choice and shown else []
    end = [*more, blocks.context(_checked_text(view)), *blocks.actions([*menu, *_buttons(view)])]
    if not level.choice:
        label = f"{f'Show all {len(all_)} jobs' if left else 'Show one job'}, page by page"
        end += blocks.actions([blocks.button(label, ActionId.BOARD_PAGE, value=f"{view.id}:1")])
    return _message(_text(all_, view), top, _table(shown, view, level), end)


def _summary_blocks(rows: Sequence[BoardRow], view: BoardContext) -> list[Block]:
    bad = _failures(rows)
    said = " ".join([*([f"Failed: {bad}."] if bad else []), *_in_progress(rows)])
    return [
        *([blocks.section(blocks.escape(said))] if said else []),
        *_warnings(rows),
        *([blocks.section(_closing_line(rows))] if view.closed else []),
    ]


def _warnings(rows: Sequence[BoardRow]) -> list[Block]:
    """Return one warning for each error that made polls fail."""
    found: dict[str, int] = {}
    for row in rows:
        if row.followed and row.trouble:
            found[row.trouble] = found.get(row.trouble, 0) + 1
    return [
        blocks.section(
            f"⚠️ {formatting.plural(count, 'job')} could not be checked:"
            f" {blocks.escape(blocks.one_line(why), 300)}"
        )
        for why, count in list(found.items())[:MAX_WARNINGS]
    ]


def _checked_text(view: BoardContext) -> str:
    return f"Last checked {blocks.date(view.checked_at, '{date_short_pretty} at {time_secs}')}"


def _buttons(view: BoardContext) -> list[Block]:
    if view.closed:
        return [overflow_menu.menu()]
    question = blocks.confirm(
        "Stop following all?",
        "This thread will hear no more of any of these jobs. The jobs themselves go on.",
        yes="Stop following all",
        no="Keep following",
    )
    return [
        blocks.button("Refresh all", ActionId.BOARD_REFRESH, value=view.id),
        blocks.button("Stop following all", ActionId.BOARD_STOP, value=view.id, confirm=question),
        overflow_menu.menu(),
    ]


def _menu(rows: Sequence[BoardRow]) -> Block:
    options = [{"text": blocks.plain(_option(row), 75), "value": row.id} for row in rows]
    return {
        "type": "static_select",
        "action_id": ActionId.BOARD_SHOW,
        "placeholder": blocks.plain("Show one job"),
        "options": options,
    }


def _option(row: BoardRow) -> str:
    name = blocks.clip(job_text.job_name(row.job), 50)
    return f"{name} · {formatting.status_label(row.job.status).word}"


def _table(rows: Sequence[BoardRow], view: BoardContext, level: _DetailLevel) -> list[list[Cell]]:
    head: list[Cell] = ["Status", "Job", "Progress", "Took"]
    head += ["Reference"] if level.references else []
    return [head, *(_row(row, view.checked_at, level) for row in rows)]


def _row(row: BoardRow, now: datetime, level: _DetailLevel) -> list[Cell]:
    job = row.job
    cells = [_status(row), _name(job, level), _progress(job, bar=level.bars), _took(job, now)]
    return [*cells, str(job.ref)] if level.references else cells


def _status(row: BoardRow) -> str:
    status, native = row.job.status, job_text.provider_word(row.job)
    phrase = formatting.status_phrase(status, row.job.native_status)
    said = f"{formatting.status_label(status).emoji} {phrase}"
    said += f" ({blocks.clip(native, 30)})" if native else ""
    if row.job.status.terminal:
        return said
    if row.missing:
        return f"{said} · not found any more"
    if not row.followed:
        return f"{said} · not followed"
    return f"{said} · ⚠️ could not be checked" if row.trouble else said


def _name(job: Job, level: _DetailLevel) -> Cell:
    name = blocks.clip(job_text.job_name(job), level.name_units)
    address = blocks.web_address(job.url) if level.links else None
    return blocks.link(address, name) if address and len(address) <= MAX_URL_LENGTH else name


def _progress(job: Job, *, bar: bool) -> str:
    if not job.tasks:
        return ""
    done, total, failed = job.finished_tasks, len(job.tasks), len(job.failed_tasks)
    if bar:
        return formatting.progress_bar(done, total, width=6, failed=failed)
    return formatting.counts(done, total, failed)


def _took(job: Job, now: datetime) -> str:
    seconds = job_text.seconds_taken(job, now)
    so_far = "" if job.status.terminal else " so far"
    return f"{formatting.duration(seconds)}{so_far}" if seconds is not None else ""


def _pages(rows: Sequence[BoardRow], size: int) -> int:
    return max(1, -(-len(rows) // size))


def _page(rows: Sequence[BoardRow], view: BoardContext, number: int, size: int) -> Message:
    shown, count = rows[(number - 1) * size : number * size], _pages(rows, size)
    text = f"Page {number} of {count}. {counts(rows)}."
    turns = [("Back", "back", number - 1), ("Next page", "next", number + 1)]
    buttons = [
        blocks.button(label, ActionId.BOARD_PAGE.with_suffix(way), value=f"{view.id}:{to}")
        for label, way, to in turns
        if 1 <= to <= count
    ]
    small = blocks.context("Only you see this", f"Page {number} of {count}")
    end = [small, *blocks.actions([*([_menu(shown)] if shown else []), *buttons])]
    return _message(text, [blocks.section(text)], _table(shown, view, _MEDIUM), end)


def _message(
    text: str, top: list[Block], rows: Sequence[Sequence[Cell]], end: list[Block]
) -> Message:
    """Return the message with a sortable table, and a plain table as its classic blocks."""
    if len(rows) == 1:  # Slack rejects a table without rows
        return Message(text=text, blocks=blocks.with_block_ids([*top, *end]))
    caption = f"{formatting.plural(len(rows) - 1, 'job')}, the most urgent first"
    # By default, Slack's clients show five rows and use the first column as the row header:
    # https://docs.slack.dev/reference/block-kit/blocks/data-table-block
    sortable = {
        **tables.data_table(caption, rows),
        "page_size": TABLE_PAGE_SIZE,
        "row_header_column_index": list(rows[0]).index("Job"),
    }
    return Message(
        text=text,
        blocks=blocks.with_block_ids([*top, sortable, *end]),
        classic=blocks.with_block_ids([*top, tables.table(rows), *end]),
    )
