"""Overflow menu of a message: why it was sent, and how to get fewer like it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sdk.cards import blocks

if TYPE_CHECKING:
    from bot.sdk.cards.blocks import Block
    from bot.sdk.models import Message

ACTION = "more"  # the menu's action_id
WHY = "why"
STOP = "stop"
# Label, and the command that a click stands for. The job comes from the message's metadata,
# because a reference may be too long for an option's value.
OUTCOMES = ("Only outcomes here", "set follow_ups outcomes")
FAILURES = ("Only failures here", "set follow_ups failures")


def menu(*, followed: bool = False) -> Block:
    """Return the menu; `followed`: the message is about one job, which is still followed."""
    stop = [("Stop following", STOP)] if followed else []
    return blocks.overflow(ACTION, [("Why did I get this?", WHY), OUTCOMES, FAILURES, *stop])


def under(message: Message, *, followed: bool = False) -> Message:
    """Return a message with the menu below it; the text is unchanged."""
    row = blocks.actions([menu(followed=followed)])
    shown = message.blocks or (blocks.section(message.text),)
    classic = blocks.sealed([*message.classic, *row]) if message.classic else ()
    return message.but(blocks=blocks.sealed([*shown, *row]), classic=classic)
