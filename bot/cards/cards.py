"""Cards and follow-ups: a job, or what changed in it, as a message for Slack. Pure; no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot import words
from bot.cards import blocks, menu, sentences, tasks
from bot.models import Change, Job, Message, Status, Task

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.cards.blocks import Block

MAX_DETAILS = 6
MAX_FAILED_NAMED = 5
_HALF_A_DAY = 12 * 3_600  # seconds; older trouble is told with its day
_LOGS = 5_000  # units for all the logs of one follow-up


@dataclass(frozen=True, kw_only=True)
class View:
    """What surrounds a job when it is shown: for whom, since when, and what may be clicked."""

    checked_at: datetime  # aware; "so far" is counted until then
    followed: bool = False  # a thread follows the job
    interval_seconds: float | None = None  # between two looks, while it is followed
    asker: str | None = None  # the Slack user id of who asked; mentioned when the job ends
    mention: bool = True  # whether somebody is called when the job ends
    group: str = ""  # the user group to call, instead of the asker
    trouble: str = ""  # why the last look failed
    trouble_since: datetime | None = None  # aware; when looks began to fail
    interactive: bool = True  # whether there are buttons
    only_you: bool = False  # only the asker sees the card


@dataclass(frozen=True)
class _Said:
    """A sentence of a follow-up, and the log that proves it."""

    sentence: str
    log: str = ""


def job(job: Job, view: View) -> Message:
    """Return the job's card."""
    top = [blocks.header(sentences.name(job)), *blocks.fields(_facts(job, view))]
    top += [*_progress(job), *_trouble(view)]
    drawn = tasks.drawn(job, view.checked_at)
    end = [blocks.context(*_small_print(job, view)), *blocks.actions(_buttons(job, view))]
    room = blocks.MAX_WEIGHT - 2_000 - blocks.weight([*top, *drawn, *end])
    why = _why(job, max(300, min(2_500, room)))
    listed = tasks.listed(job, view.checked_at)
    top = list(blocks.sealed(top))  # it is the same in both
    return Message(
        text=_sentence(job, view),
        blocks=blocks.sealed([*top, *_rich(why), *drawn, *end]),
        classic=blocks.sealed([*top, *_classic(why), *listed, *end]),
    )


def change(change: Change, view: View) -> Message:
    """Return the follow-up that tells a change in the thread."""
    said = _told(change)
    called = _called(change, view)
    mention = f" {blocks.mention(called)}" if called else ""
    return Message(
        text=blocks.escape(sentences.told(change), blocks.MAX_TEXT - 100) + mention,
        blocks=blocks.sealed(_rich(said, called)),
        classic=blocks.sealed(_classic(said, mention)),
    )


def _sentence(job: Job, view: View) -> str:
    trouble = " It could not be checked the last time." if view.trouble else ""
    return blocks.escape(sentences.standing(job, view.checked_at) + trouble)


def _facts(job: Job, view: View) -> list[tuple[str, str]]:
    """Return what stands in two columns: label, and value in mrkdwn; the pairs go together."""
    return [
        ("Status", _status(job)),
        *_times(job, view),
        *([("Type", blocks.code(job.type, 100))] if blocks.visible(job.type) else []),
        *_details(job),
    ]


def _status(job: Job) -> str:
    sign, native = words.sign(job.status), sentences.native(job)
    doing = words.standing(job.status, job.native_status)
    word = "waiting: a person must act" if job.status is Status.WAITING else doing
    said = f"{sign.emoji} *{word[0].upper()}{word[1:]}*"
    return f"{said} · {blocks.code(native, 100)}" if native else said


def _progress(job: Job) -> list[Block]:
    return [blocks.section(tasks.progress(job))] if job.tasks else []


def _times(job: Job, view: View) -> list[tuple[str, str]]:
    seconds = sentences.seconds_taken(job, view.checked_at)
    ended = job.finished_at if job.status.terminal else None
    begun = ("Started", job.started_at) if job.started_at else ("Created", job.created_at)
    times = [(label, blocks.date(at)) for label, at in (begun, ("Finished", ended)) if at]
    return [
        *times,
        *([(_span(job.status), words.duration(seconds))] if seconds is not None else []),
    ]


def _span(status: Status) -> str:
    if status.terminal:
        return "Took"
    return "Running for" if status is Status.RUNNING else "So far"


def _details(job: Job) -> list[tuple[str, str]]:
    shown = [(detail.label, blocks.code(detail.value, 100)) for detail in job.details]
    left = len(shown) - MAX_DETAILS
    more = [("More", words.plural(left, "more detail", "more details"))] if left > 0 else []
    return [(label, value) for label, value in shown[:MAX_DETAILS] if blocks.visible(label)] + more


def _trouble(view: View) -> list[Block]:
    if not view.trouble:
        return []
    why = blocks.escape(blocks.one_line(view.trouble), 300)
    return [blocks.section(f"⚠️ Could not be checked{_since(view)}: {why}")]


def _since(view: View) -> str:
    if view.trouble_since is None:
        return ""
    recent = (view.checked_at - view.trouble_since).total_seconds() < _HALF_A_DAY
    fmt = "{time}" if recent else "{date_short_pretty} at {time}"
    return f" since {blocks.date(view.trouble_since, fmt)}"


def _small_print(job: Job, view: View) -> list[str]:
    every = view.interval_seconds if view.followed and not job.status.terminal else None
    checked = f"Last checked {blocks.date(view.checked_at, '{date_short_pretty} at {time_secs}')}"
    checked += f", every {words.duration(every)}" if every else ""
    return [
        blocks.code(str(job.ref)),
        checked,
        *(["Only you see this"] if view.only_you else []),
    ]


def _buttons(job: Job, view: View) -> list[Block]:
    if not view.interactive:
        return []
    ref, address = str(job.ref), blocks.web_address(job.url)
    follow = [] if job.status.terminal else [_unfollow(job) if view.followed else _follow(job)]
    refresh = blocks.button("Refresh", "refresh", value=ref)
    console = [blocks.button("Open in console", "open", value=ref, url=address)] if address else []
    following = view.followed and not job.status.terminal
    more = [] if view.only_you else [menu.menu(followed=following)]
    return [refresh, *follow, *console, *more]


def _follow(job: Job) -> Block:
    return blocks.button("Follow", "follow", value=str(job.ref), style="primary")


def _unfollow(job: Job) -> Block:
    question = blocks.confirm(
        "Stop following?",
        f"This thread will hear no more of {sentences.name(job)}. The job itself goes on.",
        yes="Stop following",
        no="Keep following",
    )
    return blocks.button("Stop following", "unfollow", value=str(job.ref), confirm=question)


def _why(job: Job, limit: int) -> list[_Said]:
    """Return what explains the job's standing: the failing step's message, the job's own."""
    failing = next((task for task in job.failed_tasks if blocks.visible(task.message)), None)
    said = [_failure(failing, limit)] if failing else []
    if blocks.visible(job.message) and (failing is None or job.message != failing.message):
        room = 300 if said else limit
        said.append(_Said("The provider says:", blocks.tail(job.message, limit=room)))
    return said


def _failure(task: Task, limit: int) -> _Said:
    log = blocks.tail(task.message, limit=limit) if blocks.visible(task.message) else ""
    return _Said(f"❌ {sentences.failed(task)}{':' if log else '.'}", log)


def _told(change: Change) -> list[_Said]:
    """Return one line for each thing that the thread should hear."""
    after = change.after
    sentence = sentences.outcome(after) if change.ends else sentences.moved(change)
    first = _Said(f"{words.sign(after.status).emoji} {sentence}")
    failures = _failures(change.newly_failed)
    ends = [
        _Said(f"{words.sign(task.status).emoji} {sentences.ended(task)}.")
        for task in change.newly_ended[:MAX_FAILED_NAMED]
    ]
    head = [first] if change.status_changed or not (failures or ends) else []
    return [*head, *ends, *failures, *_last_words(change, failures)]


def _failures(failed: Sequence[Task]) -> list[_Said]:
    named, left = failed[:MAX_FAILED_NAMED], len(failed) - MAX_FAILED_NAMED
    limit = min(2_500, _LOGS // max(1, len(named)))
    more = [_Said(f"… and {words.plural(left, 'more step')} failed.")] if left > 0 else []
    return [*(_failure(task, limit) for task in named), *more]


def _last_words(change: Change, failures: Sequence[_Said]) -> list[_Said]:
    """What the provider says of a job that ended badly or waits, unless a step said it."""
    after = change.after
    speaks = change.status_changed and (after.status.bad or after.status is Status.WAITING)
    log = blocks.tail(after.message, limit=1_500)
    if not speaks or not blocks.visible(log) or any(said.log == log for said in failures):
        return []
    return [_Said("The provider says:", log)]


def _called(change: Change, view: View) -> str:
    """Return Slack's id of the person or user group that the follow-up calls."""
    wanted = view.group or view.asker or ""
    return wanted if change.ends and view.mention and blocks.mention(wanted) else ""


def _rich(said: Sequence[_Said], called: str = "") -> list[Block]:
    """Return the sentences and logs as one rich text; the first sentence calls somebody."""
    elements: list[Block] = []
    for number, one in enumerate(said):
        mention = [blocks.text(" "), blocks.called(called)] if called and number == 0 else []
        elements.append(blocks.line(blocks.text(one.sentence), *mention))
        elements += [blocks.preformatted(one.log)] if one.log else []
    return [blocks.rich_text(*elements)] if elements else []


def _classic(said: Sequence[_Said], mention: str = "") -> list[Block]:
    """Return the same as sections, for where Slack refuses rich text."""
    shown: list[Block] = []
    for number, one in enumerate(said):
        sentence = blocks.escape(one.sentence, blocks.MAX_TEXT - 100)
        shown.append(blocks.section(sentence + (mention if number == 0 else "")))
        shown += [blocks.fence(one.log, limit=len(one.log) + 200)] if one.log else []
    return shown
