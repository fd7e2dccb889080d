"""Size of a message's blocks against Slack's undocumented limit. Pure.

Above about 13,200 characters of all blocks together Slack answers msg_blocks_too_long. Reports
differ on what is counted: https://github.com/slackapi/bolt-js/issues/2509 and issue 2867 there.
The size here is the strictest count: the JSON with its syntax, non-ASCII text escaped. A message
that fits by it fits by every other count.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.sdk.models import Message

MAX_JSON_SIZE = 12_000  # of all blocks of a message
ROOM_BESIDE = 1_500  # for a heading and a menu that are added to a message later
_ENCODER = json.JSONEncoder(separators=(",", ":"))


def json_size(value: Any) -> int:
    """Return the number of characters of blocks, or of a text, as JSON in ASCII."""
    return len(_ENCODER.encode(value))


def fits(message: Message, *, room: int = 0) -> bool:
    """Whether both renderings fit and leave this much room for more blocks."""
    largest = max(json_size(message.blocks), json_size(message.classic))
    return largest <= MAX_JSON_SIZE - room


def first_that_fits(messages: Iterable[Message], *, room: int = 0) -> Message:
    """Return the first message that fits, or the last one. Later ones are not rendered."""
    for message in messages:
        if fits(message, room=room):
            break
    return message


def first_lines(lines: Iterable[str], size: int) -> Iterator[str]:
    """Yield the lines from the first, as long as all together stay within the JSON size."""
    for line in lines:
        size -= json_size(line)
        if size < 0:
            return
        yield line


def clip(text: str, size: int) -> str:
    """Return the text cut to this JSON size without its quotes; a cut text ends with "…"."""
    if json_size(text) - 2 <= size:
        return text
    remaining, kept = size - json_size("…") + 2, 0
    for letter in text:
        remaining -= json_size(letter) - 2
        if remaining < 0:
            break
        kept += 1
    return text[:kept].rstrip(" \n\u200d") + "…"
