"""Overflow menu of a message: why it was sent, and how to get fewer like it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sdk.cards import blocks
from bot.sdk.cards.action_ids import ActionId

if TYPE_CHECKING:
    from bot.sdk.cards.blocks import Block
    from bot.sdk.models import Message

WHY = "why"
STOP = "stop"
# Label, and the command that a click stands for. The job comes from the message's metadata,
# because a reference may be too long for an option's value.
OUTCOMES = ("Only outcomes here", "set follow_ups outcomes")
FAILURES = ("Only failures here", "set follow_ups failures")


def menu(*, followed: bool = False) -> Block:
    """Return the menu; `followed`: the message is about one job, which is still followed."""
    stop = [("Stop following", STOP)] if followed else []
    return blocks.overflow(ActionId.MENU, [("Why did I get this?", WHY), OUTCOMES, FAILURES, *stop])


def with_menu(message: Message, *, followed: bool = False) -> Message:
    """Return a message with the menu below it; the text is unchanged."""
    row = blocks.actions([menu(followed=followed)])
    shown = message.blocks or (blocks.section(message.text),)
    classic = blocks.with_block_ids([*message.classic, *row]) if message.classic else ()
    return message.replace(blocks=blocks.with_block_ids([*shown, *row]), classic=classic)
