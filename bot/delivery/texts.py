"""Text of the catch-up reply: all updates that a thread missed, in one message. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.sdk import formatting
from bot.sdk.cards import blocks, message_size
from bot.sdk.models import Message

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

MAX_ITEMS = 20  # in one catch-up reply
_ITEM_LENGTHS = (500, 250, 120, 60)  # characters per item; the first that fits is used
_TRAILING_MENTION = re.compile(r" <(?:@|!subteam\^)\w{1,40}>\Z")


def catch_up(since: datetime, items: Sequence[str], status_text: str, asker: str) -> Message:
    """Return the catch-up reply: all updates that a thread missed, in one message.

    `items`: the stored texts, in mrkdwn. `status_text`: the job's present status; empty if the last
    item contains it.
    """
    rendered = (
        _catch_up_lines(since, items, status_text, asker, longest) for longest in _ITEM_LENGTHS
    )
    messages = (
        Message(text="\n".join(lines), blocks=tuple(blocks.paragraphs(lines))) for lines in rendered
    )
    return message_size.first_that_fits(messages, room=message_size.ROOM_BESIDE)


def _catch_up_lines(
    since: datetime, items: Sequence[str], status_text: str, asker: str, longest: int
) -> list[str]:
    shown = [_item(text, longest) for text in items[-MAX_ITEMS:]]
    if left := len(items) - len(shown):
        shown.insert(0, f"… {formatting.plural(left, 'earlier change')}")
    if status_text:
        mention = f" {blocks.mention(asker)}" if asker and blocks.mention(asker) else ""
        shown.append(f"Now: {blocks.escape(status_text)}{mention}")
    text = f"📬 I could not post this sooner. What happened since {blocks.date(since)}:"
    return [text, *(f"• {item}" for item in shown)]


def _item(text: str, longest: int) -> str:
    """Return a text cut to `longest` characters; a mention at its end is kept."""
    called = _TRAILING_MENTION.search(text)
    end = called[0] if called else ""
    shown: str = blocks.mrkdwn(text.removesuffix(end), longest - len(end))["text"]
    return shown + end
