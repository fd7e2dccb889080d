"""Texts of replies: hints, choices, errors, confirmations. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands.parser import MAX_REFERENCES
from bot.notifications.settings_text import change_button
from bot.sdk import formatting
from bot.sdk.cards import blocks
from bot.sdk.cards.action_ids import ActionId

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from bot.commands.settings_parser import ParseError
    from bot.providers.references import Resolution
    from bot.sdk.errors import JobthreadError
    from bot.sdk.models import JobRef, Message

MAX_CHOICES = 5  # buttons in one reply


def error(reason: JobthreadError, ref: JobRef | None, correlation_id: str) -> Message:
    """Return why a request failed, the next step, and the correlation id of its log line."""
    about = f"{blocks.code(str(ref))}: " if ref else ""
    return blocks.text_message(f"⚠️ {about}{blocks.escape(str(reason))} (log id {correlation_id})")


def internal_error(correlation_id: str) -> Message:
    """Return the reply for an internal error."""
    return blocks.text_message(
        "⚠️ Something went wrong in this bot, and nothing was changed."
        f" Try again; if it happens again, tell its operator the log id {correlation_id}."
    )


def busy() -> Message:
    """Return the reply for a request that could not be persisted."""
    return blocks.text_message("⚠️ This bot can't take requests right now. Try again in a minute.")


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
        button = blocks.button(blocks.clip(known, 70), ActionId.RUN, value=with_word(known))
        return blocks.text_message(f"{text} One that I know is {blocks.code(known)}.", button)
    if resolution.id_example:
        return blocks.text_message(
            f"{text} Its ids have the form of {blocks.code(resolution.id_example)}."
        )
    return blocks.text_message(
        f"{text} Write `connection:id`; `{command} connections` lists the names."
    )


def did_you_mean(text: str, suggestion: str) -> Message:
    """Return a text with a corrected command; a button sends it."""
    asked = f"{text} Did you mean {blocks.code(suggestion)}?"
    return blocks.text_message(
        asked, blocks.button(blocks.clip(suggestion, 70), ActionId.RUN, value=suggestion)
    )


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
            f"{n}. {label}" if dates else label,
            ActionId.RUN.with_suffix(n - 1),
            value=with_word(str(ref)),
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
    return blocks.text_message(f"{blocks.escape(text)} Choose one:{rest}{''.join(lines)}", *buttons)


def nothing_found(command: str) -> Message:
    """Return that a free text contains no job reference."""
    return blocks.text_message(
        "I found no job in that. Name one as `connection:id` or paste its URL;"
        f" `{command} help` shows examples."
    )


def too_many(count: int) -> Message:
    """Return that a command contains too many jobs."""
    return blocks.text_message(
        f"That names {count} jobs; I take {MAX_REFERENCES} at once. Ask for the rest in a second"
        " command."
    )


def no_reference(verb: str, command: str) -> Message:
    """Return that a command has no job reference."""
    return blocks.text_message(f"Which job? Write `{command} {verb} connection:id`.")


def already_followed(job: str, link: str | None) -> Message:
    """Return the link to the existing card of a followed job."""
    if link is None:
        return blocks.text_message(
            f"{blocks.code(job)} is followed here already; its card is on its way."
        )
    return blocks.text_message(
        f"{blocks.code(job)} is followed here already: <{link}|open its card>."
    )


def not_followed(job: str) -> Message:
    """Return that a job is not followed in this channel."""
    return blocks.text_message(f"{blocks.code(job)} is not followed here.")


def unknown_message() -> Message:
    """Return that a message is too old: its job is no longer stored."""
    return blocks.text_message(
        "That message is from too long ago: its job is no longer followed here."
    )


def unfollowed(job: str) -> Message:
    """Return that a job is no longer followed, and how to follow it again from its card."""
    return blocks.text_message(
        f"{blocks.code(job)} is no longer followed here. The card's Follow button begins it again."
    )


def unfollowed_on_board(job: str) -> Message:
    """Return that a job of a board is no longer followed, and how to follow it again."""
    return blocks.text_message(
        f"{blocks.code(job)} is no longer followed here. Ask for it to begin it again."
    )


def board_unfollowed(count: int) -> Message:
    """Return how many jobs of a board were unfollowed."""
    if count == 0:
        return blocks.text_message("Nothing on that board is followed any more.")
    jobs = formatting.plural(count, "job is", "jobs are")
    return blocks.text_message(f"{jobs} no longer followed here. Ask for a job to begin it again.")


def refresh_failed(count: int, why: str) -> Message:
    """Return that some jobs of a board could not be polled."""
    return blocks.text_message(
        f"⚠️ {formatting.plural(count, 'job')} could not be checked: {blocks.escape(why)}"
    )


def added_to_board(jobs: Sequence[str], link: str | None) -> Message:
    """Return the link to the board that newly requested jobs were added to."""
    named = f"{blocks.code(jobs[0])} is" if len(jobs) == 1 else f"{len(jobs)} jobs are"
    board = f"<{link}|your board>" if link else "your board"
    return blocks.text_message(f"{named} on {board}, with what you asked for a moment ago.")


def looking_up(job: str) -> Message:
    """Return the waiting notice. It stays visible, so its text is also true after the reply."""
    return blocks.text_message(
        f"Looking up {blocks.code(job)} takes longer than usual; the answer follows."
    )


def setting_not_understood(error: ParseError, command: str) -> Message:
    """Return why a command cannot be parsed, with a suggestion or all valid commands."""
    if error.suggestion:
        message = did_you_mean(error.message, error.suggestion)
        choices = _choices_text(error.choices, command)
        return message.replace(blocks=(*message.blocks, *map(blocks.section, choices)))
    if 0 < len(error.choices) <= MAX_CHOICES:
        buttons = [
            blocks.button(c, ActionId.RUN.with_suffix(n), value=c)
            for n, c in enumerate(error.choices)
        ]
        return blocks.text_message(f"{error.message} For example:", *buttons)
    return blocks.text_message(
        " ".join([error.message, *_choices_text(error.choices, command)]), change_button()
    )


def _choices_text(choices: Sequence[str], command: str) -> list[str]:
    commands = ", ".join(blocks.code(f"{command} {typed}") for typed in choices)
    return [f"Write one of {commands}."] if choices else []
