"""Texts of replies: help hints, choices, refusals, catch-up. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.commands.parser import MAX_REFERENCES
from bot.sdk import formatting
from bot.sdk.cards import blocks
from bot.sdk.models import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from bot.providers.references import Resolution
    from bot.sdk.errors import JobthreadError
    from bot.sdk.models import JobRef

MAX_ITEMS = 20  # in one catch-up reply
_ITEM_LENGTHS = (500, 250, 120)  # characters per item; the first that fits is used
_MAX_JSON_SIZE = blocks.MAX_JSON_SIZE - 2_000  # bytes; the rest is for the menu below
_TRAILING_MENTION = re.compile(r" <(?:@|!subteam\^)\w{1,40}>\Z")
MAX_CHOICES = 5  # buttons in one reply


def sentence(text: str, *buttons: blocks.Block) -> Message:
    """Return a short reply. The caller has escaped the untrusted parts of the mrkdwn text."""
    return Message(text=text, blocks=(blocks.section(text), *blocks.actions(buttons)))


def error(reason: JobthreadError, ref: JobRef | None, correlation_id: str) -> Message:
    """Return why a request failed, the next step, and the correlation id of its log line."""
    about = f"{blocks.code(str(ref))}: " if ref else ""
    return sentence(f"⚠️ {about}{blocks.escape(str(reason))} (log id {correlation_id})")


def internal_error(correlation_id: str) -> Message:
    """Return the reply for an internal error."""
    return sentence(
        "⚠️ Something went wrong in this bot, and nothing was changed."
        f" Try again; if it happens again, tell whoever runs it the log id {correlation_id}."
    )


def busy() -> Message:
    """Return the reply for a request that could not be persisted."""
    return sentence("⚠️ This bot can't take requests right now. Try again in a minute.")


def not_understood(
    resolution: Resolution,
    command: str,
    with_word: Callable[[str], str] = str,
    example: JobRef | None = None,
) -> Message:
    """Return that a word is not a reference, with the closest valid one.

    `on`: see `choose_job`. `example`: a job of the named connection.
    """
    text = f"{blocks.code(resolution.word)} is not a job I can look up"
    text += f": {blocks.escape(resolution.reason)}." if resolution.reason else "."
    if resolution.suggestion:
        return did_you_mean(text, with_word(resolution.suggestion))
    if example:
        known = str(example)
        button = blocks.button(blocks.clip(known, 70), "run", value=with_word(known))
        return sentence(f"{text} One that I know is {blocks.code(known)}.", button)
    if resolution.id_example:
        return sentence(f"{text} Its ids have the form of {blocks.code(resolution.id_example)}.")
    return sentence(f"{text} Write `connection:id`; `{command} connections` lists the names.")


def did_you_mean(text: str, suggestion: str) -> Message:
    """Return a text with a corrected command; a button sends it."""
    asked = f"{text} Did you mean {blocks.code(suggestion)}?"
    return sentence(asked, blocks.button(blocks.clip(suggestion, 70), "run", value=suggestion))


def choose_job(
    text: str,
    choices: Sequence[tuple[JobRef, str]],
    with_word: Callable[[str], str] = str,
    created: Mapping[JobRef, datetime] | None = None,
) -> Message:
    """Return a choice between the jobs that a reference matches, one button per job.

    `on` builds the button's command from a reference: the reference alone or after a verb.
    Creation times are in the text, because Slack formats dates in the reader's time zone only
    there, not on buttons.
    """
    shown, dates = choices[:MAX_CHOICES], created or {}
    buttons = [
        blocks.button(
            f"{n}. {label}" if dates else label, f"run_{n - 1}", value=with_word(str(ref))
        )
        for n, (ref, label) in enumerate(shown, start=1)
    ]
    lines = [
        f"\n{n}. was created {blocks.date(dates[ref])}."
        for n, (ref, _) in enumerate(shown, start=1)
        if ref in dates
    ]
    more = len(choices) - MAX_CHOICES
    rest = f" {more} more are not shown; ask for them by their ids." if more > 0 else ""
    return sentence(f"{blocks.escape(text)} Choose one:{rest}{''.join(lines)}", *buttons)


def nothing_found(command: str) -> Message:
    """Return that a free text contains no job reference."""
    return sentence(
        "I found no job in that. Name one as `connection:id` or paste its URL;"
        f" `{command} help` shows examples."
    )


def too_many(count: int) -> Message:
    """Return that a command contains too many jobs."""
    return sentence(
        f"That names {count} jobs; I take {MAX_REFERENCES} at once. Ask for the rest in a second"
        " command."
    )


def no_reference(verb: str, command: str) -> Message:
    """Return that a command has no job reference."""
    return sentence(f"Which job? Write `{command} {verb} connection:id`.")


def already_followed(job: str, link: str | None) -> Message:
    """Return the link to the existing card of a followed job."""
    if link is None:
        return sentence(f"{blocks.code(job)} is followed here already; its card is on its way.")
    return sentence(f"{blocks.code(job)} is followed here already: <{link}|open its card>.")


def not_followed(job: str) -> Message:
    """Return that a job is not followed in this channel."""
    return sentence(f"{blocks.code(job)} is not followed here.")


def unknown_message() -> Message:
    """Return that a message is too old: its job is no longer stored."""
    return sentence("That message is from too long ago: its job is no longer followed here.")


def unfollowed(job: str) -> Message:
    """Return that a job is no longer followed, and how to follow it again from its card."""
    return sentence(
        f"{blocks.code(job)} is no longer followed here. The card's Follow button begins it again."
    )


def unfollowed_on_board(job: str) -> Message:
    """Return that a job of a board is no longer followed, and how to follow it again."""
    return sentence(f"{blocks.code(job)} is no longer followed here. Ask for it to begin it again.")


def board_unfollowed(count: int) -> Message:
    """Return how many jobs of a board were unfollowed."""
    if count == 0:
        return sentence("Nothing on that board is followed any more.")
    jobs = formatting.plural(count, "job is", "jobs are")
    return sentence(f"{jobs} no longer followed here. Ask for a job to begin it again.")


def refresh_failed(count: int, why: str) -> Message:
    """Return that some jobs of a board could not be polled."""
    return sentence(
        f"⚠️ {formatting.plural(count, 'job')} could not be checked: {blocks.escape(why)}"
    )


def added_to_board(jobs: Sequence[str], link: str | None) -> Message:
    """Return the link to the board that newly requested jobs were added to."""
    named = f"{blocks.code(jobs[0])} is" if len(jobs) == 1 else f"{len(jobs)} jobs are"
    board = f"<{link}|your board>" if link else "your board"
    return sentence(f"{named} on {board}, with what you asked for a moment ago.")


def paragraphs(lines: Iterable[str]) -> list[blocks.Block]:
    """Return the lines in section blocks of at most 3,000 characters."""
    shown: list[str] = []
    for line in lines:
        if shown and blocks.length(shown[-1]) + blocks.length(line) < 2_900:
            shown[-1] += "\n" + line
        else:
            shown.append(line)
    return [blocks.section(text) for text in shown]


def not_in_channel() -> Message:
    """Return that the bot is not a channel member, and how to invite it."""
    return sentence(
        "I am not in this channel, so I cannot post the card here. Invite me with"
        " `/invite @jobthread` and ask again."
    )


def card_rejected(code: str, correlation_id: str) -> Message:
    """Return that Slack rejected the card."""
    return sentence(
        f"⚠️ Slack did not let me post the card here ({blocks.code(code)}). Ask again in another"
        f" channel, or tell whoever runs this bot the log id {correlation_id}."
    )


def thread_unreachable(name: str, channel: str, code: str) -> Message:
    """Return, for the requester, that a thread is unreachable."""
    return sentence(
        f"I can no longer post about {blocks.escape(name)} in <#{channel}>: Slack answers"
        f" {blocks.code(code)}. I keep what I have to say until I can, and try again by myself."
    )


def catch_up(since: datetime, items: Sequence[str], status_text: str, asker: str) -> Message:
    """Return the catch-up reply: all updates that a thread missed, in one message.

    `items`: the stored texts, in mrkdwn. `standing`: the job's present status; empty if the last
    item contains it.
    """
    for longest in _ITEM_LENGTHS:
        lines = _catch_up_lines(since, items, status_text, asker, longest)
        shown = tuple(paragraphs(lines))
        if blocks.json_size(shown) <= _MAX_JSON_SIZE:
            break
    return Message(text="\n".join(lines), blocks=shown)


def _catch_up_lines(
    since: datetime, items: Sequence[str], standing: str, asker: str, longest: int
) -> list[str]:
    shown = [_item(text, longest) for text in items[-MAX_ITEMS:]]
    if left := len(items) - len(shown):
        shown.insert(0, f"… {formatting.plural(left, 'earlier change')}")
    if standing:
        mention = f" {blocks.mention(asker)}" if asker and blocks.mention(asker) else ""
        shown.append(f"Now: {blocks.escape(standing)}{mention}")
    text = f"📬 I could not post this sooner. What happened since {blocks.date(since)}:"
    return [text, *(f"• {item}" for item in shown)]


def _item(text: str, longest: int) -> str:
    """Return a text cut to `longest` characters; a mention at its end is kept."""
    called = _TRAILING_MENTION.search(text)
    end = called[0] if called else ""
    shown: str = blocks.mrkdwn(text.removesuffix(end), longest - len(end))["text"]
    return shown + end


def polling_failed(ref: str, reason: str) -> Message:
    """Return, for the thread, that polling a job fails."""
    return sentence(
        f"⚠️ I cannot see how {blocks.code(ref)} is doing: {blocks.escape(reason)}"
        " I keep trying, and say here when I can again."
    )


def polling_recovered(ref: str) -> Message:
    """Return, for the thread, that polling a job works again."""
    return sentence(f"👍 I can see {blocks.code(ref)} again.")


def job_missing(name: str, ref: JobRef) -> Message:
    """Return that a followed job no longer exists."""
    return sentence(
        f"❔ {blocks.escape(name, 150)} is not found any more, so it is no longer followed."
        f" Ask for {blocks.code(str(ref))} again if it comes back."
    )


def connection_removed(ref: JobRef) -> Message:
    """Return that the connection of a followed job is no longer configured."""
    return sentence(
        f"❔ The connection {blocks.code(ref.connection)} is no longer set up here, so"
        f" {blocks.code(str(ref))} is no longer followed."
    )


def looking_up(job: str) -> Message:
    """Return the waiting notice. It stays visible, so its text is also true after the reply."""
    return sentence(f"Looking up {blocks.code(job)} takes longer than usual; the answer follows.")
