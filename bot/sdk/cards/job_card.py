"""Renders a job's card, and a change as a thread reply. Pure; no I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.sdk import formatting
from bot.sdk.cards import blocks, job_text, message_size, overflow_menu, task_list
from bot.sdk.cards.action_ids import ActionId
from bot.sdk.cards.shortening import LEVELS, shorten_change, shorten_job
from bot.sdk.models import Change, Job, Message, Status, Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from bot.sdk.cards.blocks import Block

MAX_DETAILS = 6
MAX_FAILED_NAMED = 5
_SECONDS_WITHOUT_DATE = 12 * 3_600  # seconds; the start of an older failure is shown with its date
_MAX_LOGS = 5_000  # units for all logs of one thread reply


@dataclass(frozen=True, kw_only=True)
class CardContext:
    """Context for rendering a job: watch, asker, poll state and controls."""

    checked_at: datetime  # aware; "so far" is counted up to this time
    followed: bool = False  # the thread follows the job
    interval_seconds: float | None = None  # between polls, while it is followed
    asker: str | None = None  # Slack user id of the asker; mentioned when the job ends
    mention: bool = True  # whether the end of the job mentions anybody
    group: str = ""  # user group to mention instead of the asker
    trouble: str = ""  # why the last poll failed
    trouble_since: datetime | None = None  # aware; when polls began to fail
    interactive: bool = True  # whether the card has buttons
    only_you: bool = False  # the card is an ephemeral message


@dataclass(frozen=True)
class _Line:
    """A sentence and the log below it."""

    sentence: str
    log: str = ""


def render_card(job: Job, view: CardContext) -> Message:
    """Return the job's card, with shorter texts or without its tasks if it would be too large."""
    return message_size.first_that_fits(_cards(job, view, _sentence(job, view)))


def render_change(change: Change, view: CardContext) -> Message:
    """Return the thread reply for a change, with shorter texts if it would be too large."""
    messages = _replies(change, view, _reply_text(change, view))
    return message_size.first_that_fits(messages, room=message_size.ROOM_BESIDE)


def _cards(job: Job, view: CardContext, text: str) -> Iterator[Message]:
    """Yield the card with more and more left out."""
    yield _card(job, view, text)
    for limits in LEVELS:
        job = shorten_job(job, limits)
        view = replace(view, trouble=blocks.clip(view.trouble, limits.log))
        yield _card(job, view, text)
    yield _card(job.replace(tasks=(), details=()), replace(view, trouble=""), text)


def _replies(change: Change, view: CardContext, text: str) -> Iterator[Message]:
    """Yield the thread reply with shorter and shorter texts."""
    yield _reply(change, view, text)
    for limits in LEVELS:
        change = shorten_change(change, limits)
        yield _reply(change, view, text)


def _card(job: Job, view: CardContext, text: str) -> Message:
    top = [blocks.header(job_text.job_name(job)), *blocks.fields(_facts(job, view))]
    top += [*_progress(job), *_poll_warning(view)]
    rendered = task_list.render_tasks(job, view.checked_at)
    end = [blocks.context(*_footer(job, view)), *blocks.actions(_buttons(job, view))]
    available = message_size.MAX_JSON_SIZE - 2_000 - message_size.json_size([*top, *rendered, *end])
    explanation = _explanation(job, max(300, min(2_500, available)))
    plain = task_list.render_plain(job, view.checked_at)
    top = list(blocks.with_block_ids(top))  # the same in both renderings
    return Message(
        text=text,
        blocks=blocks.with_block_ids([*top, *_rich(explanation), *rendered, *end]),
        classic=blocks.with_block_ids([*top, *_classic(explanation), *plain, *end]),
    )


def _reply(change: Change, view: CardContext, text: str) -> Message:
    lines = _change_lines(change)
    mentioned = _mentioned(change, view)
    return Message(
        text=text,
        blocks=blocks.with_block_ids(_rich(lines, mentioned)),
        classic=blocks.with_block_ids(_classic(lines, _mention_suffix(mentioned))),
    )


def _reply_text(change: Change, view: CardContext) -> str:
    text = blocks.escape(job_text.change_text(change), blocks.MAX_TEXT - 100)
    return text + _mention_suffix(_mentioned(change, view))


def _mention_suffix(mentioned: str) -> str:
    return f" {blocks.mention(mentioned)}" if mentioned else ""


def _sentence(job: Job, view: CardContext) -> str:
    trouble = " It could not be checked the last time." if view.trouble else ""
    return blocks.escape(job_text.status_sentence(job, view.checked_at) + trouble)


def _facts(job: Job, view: CardContext) -> list[tuple[str, str]]:
    """Return the fields in two columns: pairs of label and mrkdwn value."""
    return [
        ("Status", _status(job)),
        *_times(job, view),
        *([("Type", blocks.code(job.type, 100))] if blocks.is_visible(job.type) else []),
        *_details(job),
    ]


def _status(job: Job) -> str:
    sign, native = formatting.status_label(job.status), job_text.provider_word(job)
    doing = formatting.status_phrase(job.status, job.native_status)
    word = "waiting: a person must act" if job.status is Status.WAITING else doing
    said = f"{sign.emoji} *{word[0].upper()}{word[1:]}*"
    return f"{said} · {blocks.code(native, 100)}" if native else said


def _progress(job: Job) -> list[Block]:
    return [blocks.section(task_list.progress(job))] if job.tasks else []


def _times(job: Job, view: CardContext) -> list[tuple[str, str]]:
    seconds = job_text.seconds_taken(job, view.checked_at)
    ended = job.finished_at if job.status.terminal else None
    begun = ("Started", job.started_at) if job.started_at else ("Created", job.created_at)
    times = [(label, blocks.date(at)) for label, at in (begun, ("Finished", ended)) if at]
    return [
        *times,
        *([(_span(job.status), formatting.duration(seconds))] if seconds is not None else []),
    ]


def _span(status: Status) -> str:
    if status.terminal:
        return "Took"
    return "Running for" if status is Status.RUNNING else "So far"


def _details(job: Job) -> list[tuple[str, str]]:
    shown = [(detail.label, blocks.code(detail.value, 100)) for detail in job.details]
    left = len(shown) - MAX_DETAILS
    more = [("More", formatting.plural(left, "more detail", "more details"))] if left > 0 else []
    return [
        (label, value) for label, value in shown[:MAX_DETAILS] if blocks.is_visible(label)
    ] + more


def _poll_warning(view: CardContext) -> list[Block]:
    if not view.trouble:
        return []
    why = blocks.escape(blocks.one_line(view.trouble), 300)
    return [blocks.section(f"⚠️ Could not be checked{_since(view)}: {why}")]


def _since(view: CardContext) -> str:
    if view.trouble_since is None:
        return ""
    recent = (view.checked_at - view.trouble_since).total_seconds() < _SECONDS_WITHOUT_DATE
    fmt = "{time}" if recent else "{date_short_pretty} at {time}"
    return f" since {blocks.date(view.trouble_since, fmt)}"


def _footer(job: Job, view: CardContext) -> list[str]:
    every = view.interval_seconds if view.followed and not job.status.terminal else None
    checked = f"Last checked {blocks.date(view.checked_at, '{date_short_pretty} at {time_secs}')}"
    checked += f", every {formatting.duration(every)}" if every else ""
    return [
        blocks.code(str(job.ref)),
        checked,
        *(["Only you see this"] if view.only_you else []),
    ]


def _buttons(job: Job, view: CardContext) -> list[Block]:
    if not view.interactive:
        return []
    ref, address = str(job.ref), blocks.web_address(job.url)
    follow = [] if job.status.terminal else [_unfollow(job) if view.followed else _follow(job)]
    refresh = blocks.button("Refresh", ActionId.REFRESH, value=ref)
    console = (
        [blocks.button("Open in console", ActionId.OPEN, value=ref, url=address)] if address else []
    )
    following = view.followed and not job.status.terminal
    more = [] if view.only_you else [overflow_menu.menu(followed=following)]
    return [refresh, *follow, *console, *more]


def _follow(job: Job) -> Block:
    return blocks.button("Follow", ActionId.FOLLOW, value=str(job.ref), style="primary")


def _unfollow(job: Job) -> Block:
    dialog = blocks.confirm(
        "Stop following?",
        f"This thread will hear no more of {job_text.job_name(job)}. The job itself goes on.",
        yes="Stop following",
        no="Keep following",
    )
    return blocks.button("Stop following", ActionId.UNFOLLOW, value=str(job.ref), confirm=dialog)


def _explanation(job: Job, limit: int) -> list[_Line]:
    """Return the messages that explain the status: of the first failed task, and of the job."""
    failing = next((task for task in job.failed_tasks if blocks.is_visible(task.message)), None)
    lines = [_failure(failing, limit)] if failing else []
    if blocks.is_visible(job.message) and (failing is None or job.message != failing.message):
        log_limit = 300 if lines else limit
        lines.append(_Line("The provider says:", blocks.tail(job.message, limit=log_limit)))
    return lines


def _failure(task: Task, limit: int) -> _Line:
    log = blocks.tail(task.message, limit=limit) if blocks.is_visible(task.message) else ""
    return _Line(f"❌ {job_text.task_failure_text(task)}{':' if log else '.'}", log)


def _change_lines(change: Change) -> list[_Line]:
    """Return one line for each part of the change."""
    after = change.after
    sentence = (
        job_text.outcome_sentence(after) if change.ends else job_text.status_change_text(change)
    )
    first = _Line(f"{formatting.status_label(after.status).emoji} {sentence}")
    failures = _failures(change.newly_failed)
    ends = [
        _Line(f"{formatting.status_label(task.status).emoji} {job_text.task_outcome_text(task)}.")
        for task in change.newly_ended[:MAX_FAILED_NAMED]
    ]
    head = [first] if change.status_changed or not (failures or ends) else []
    return [*head, *ends, *failures, *_provider_message(change, failures)]


def _failures(failed: Sequence[Task]) -> list[_Line]:
    named, left = failed[:MAX_FAILED_NAMED], len(failed) - MAX_FAILED_NAMED
    limit = min(2_500, _MAX_LOGS // max(1, len(named)))
    more = [_Line(f"… and {formatting.plural(left, 'more step')} failed.")] if left > 0 else []
    return [*(_failure(task, limit) for task in named), *more]


def _provider_message(change: Change, failures: Sequence[_Line]) -> list[_Line]:
    """Return the provider's message for a failed or waiting job, unless a task has the same."""
    after = change.after
    relevant = change.status_changed and (after.status.failed or after.status is Status.WAITING)
    log = blocks.tail(after.message, limit=1_500)
    if not relevant or not blocks.is_visible(log) or any(line.log == log for line in failures):
        return []
    return [_Line("The provider says:", log)]


def _mentioned(change: Change, view: CardContext) -> str:
    """Return the id of the user or user group that the thread reply mentions, or ""."""
    target = view.group or view.asker or ""
    return target if change.ends and view.mention and blocks.mention(target) else ""


def _rich(lines: Sequence[_Line], mentioned: str = "") -> list[Block]:
    """Return the lines as one rich text block; the mention follows the first sentence."""
    elements: list[Block] = []
    for number, one in enumerate(lines):
        mention = (
            [blocks.text(" "), blocks.mention_element(mentioned)]
            if mentioned and number == 0
            else []
        )
        elements.append(blocks.line(blocks.text(one.sentence), *mention))
        elements += [blocks.preformatted(one.log)] if one.log else []
    return [blocks.rich_text(*elements)] if elements else []


def _classic(lines: Sequence[_Line], mention: str = "") -> list[Block]:
    """Return the lines as sections, as a fallback for rich text."""
    shown: list[Block] = []
    for number, one in enumerate(lines):
        sentence = blocks.escape(one.sentence, blocks.MAX_TEXT - 100)
        shown.append(blocks.section(sentence + (mention if number == 0 else "")))
        shown += [blocks.fence(one.log, limit=len(one.log) + 200)] if one.log else []
    return shown
