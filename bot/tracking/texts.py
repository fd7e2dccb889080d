"""Texts about jobs that cannot be polled and messages that cannot be posted. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sdk.cards import blocks

if TYPE_CHECKING:
    from bot.sdk.models import JobRef, Message


def polling_failed(ref: str, reason: str) -> Message:
    """Return, for the thread, that polling a job fails."""
    return blocks.text_message(
        f"⚠️ I cannot see how {blocks.code(ref)} is doing: {blocks.escape(reason)}"
        " I keep trying, and say here when I can again."
    )


def polling_recovered(ref: str) -> Message:
    """Return, for the thread, that polling a job works again."""
    return blocks.text_message(f"👍 I can see {blocks.code(ref)} again.")


def job_missing(name: str, ref: JobRef) -> Message:
    """Return that a followed job no longer exists."""
    return blocks.text_message(
        f"❔ {blocks.escape(name, 150)} is not found any more, so it is no longer followed."
        f" Ask for {blocks.code(str(ref))} again if it comes back."
    )


def connection_removed(ref: JobRef) -> Message:
    """Return that the connection of a followed job is no longer configured."""
    return blocks.text_message(
        f"❔ The connection {blocks.code(ref.connection)} is no longer set up here, so"
        f" {blocks.code(str(ref))} is no longer followed."
    )


def card_rejected(code: str, correlation_id: str) -> Message:
    """Return that Slack rejected the card."""
    return blocks.text_message(
        f"⚠️ Slack did not let me post the card here ({blocks.code(code)}). Ask again in another"
        f" channel, or tell the operator of this bot the log id {correlation_id}."
    )


def thread_unreachable(name: str, channel: str, code: str) -> Message:
    """Return, for the requester, that a thread is unreachable."""
    return blocks.text_message(
        f"I can no longer post about {blocks.escape(name)} in <#{channel}>: Slack answers"
        f" {blocks.code(code)}. I keep what I have to say until I can, and try again by myself."
    )


def not_in_channel() -> Message:
    """Return that the bot is not a channel member, and how to invite it."""
    return blocks.text_message(
        "I am not in this channel, so I cannot post the card here. Invite me with"
        " `/invite @jobthread` and ask again."
    )
