"""Checks a message against Slack's limits; for cards that plugins render. Pure; no I/O.

Limits: https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from bot.sdk.cards.message_size import MAX_JSON_SIZE, json_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.sdk.models import Message

MAX_BLOCKS = 50
MAX_TEXT = 4_000  # beside the blocks: chat.update rejects more
MAX_ID = 255
MAX_MARKDOWN = 12_000  # in all markdown blocks together
MAX_CELLS = 10_000  # in all cells of a table together
TABLE_TYPES = ("table", "data_table")

TEXT_LIMITS = {  # block or element → limit of its text
    "header": 150,
    "section": 3_000,
    "button": 75,
    "container": 150,
}
STRING_LIMITS = {  # block or element → string field → limit
    "button": {"value": 2_000, "url": 3_000},
    "image": {"image_url": 3_000, "alt_text": 2_000},
    "data_visualization": {"title": 50},
}
LIST_LIMITS: dict[
    str, dict[str, tuple[int, int | None]]
] = {  # block → list field → minimum and maximum
    "section": {"fields": (1, 10)},
    "context": {"elements": (1, 10)},
    "actions": {"elements": (1, 25)},
    "rich_text": {"elements": (1, None)},
    "table": {"rows": (1, 100)},
    "overflow": {"options": (1, 5)},
    "static_select": {"options": (1, 100)},
    "container": {"child_blocks": (1, 10)},
}
CONFIRM_LIMITS = {"title": 100, "text": 300, "confirm": 30, "deny": 30}
MAX_FIELD = 2_000
MAX_OPTION = 75

_TEXT_TYPES = ("mrkdwn", "plain_text", "text")


def violations(message: Message) -> list[str]:
    """Return the limits that a message's text, blocks or classic blocks violate."""
    found = [] if 0 < len(message.text) <= MAX_TEXT else [_length_problem("text", message.text)]
    for name, blocks in (("blocks", message.blocks), ("classic", message.classic)):
        found += [f"{name}: {problem}" for problem in _problems(blocks)]
    return found


def _problems(blocks: Sequence[dict[str, Any]]) -> Iterator[str]:
    if (size := json_size(blocks)) > MAX_JSON_SIZE:
        yield f"{size} characters of JSON"
    if len(blocks) > MAX_BLOCKS:
        yield f"{len(blocks)} blocks"
    objects = list(_objects(blocks))
    for each in objects:
        yield from _object_problems(each)
    for name in ("block_id", "action_id"):
        yield from _id_problems(name, [str(each[name]) for each in objects if each.get(name)])
    yield from _message_problems(objects)


def _object_problems(one: dict[str, Any]) -> Iterator[str]:
    kind = str(one.get("type", ""))
    if kind in TEXT_LIMITS:
        key = "title" if kind == "container" else "text"
        yield from _text_problems(
            f"{kind}.{key}", one.get(key), TEXT_LIMITS[kind], needed="fields" not in one
        )
    for key, most in STRING_LIMITS.get(kind, {}).items():
        yield from _text_problems(f"{kind}.{key}", one.get(key), most, needed=False)
    for key, (least, limit) in LIST_LIMITS.get(kind, {}).items():
        if key in one and not least <= len(one[key]) <= (limit or len(one[key])):
            yield f"{kind}.{key} holds {len(one[key])}"
    for field in one.get("fields", ()):
        yield from _text_problems("a field", field, MAX_FIELD)
    for option in one.get("options", ()):
        yield from _text_problems("an option", option.get("text"), MAX_OPTION)
    for key, most in CONFIRM_LIMITS.items() if "confirm" in one else ():
        yield from _text_problems(f"confirm.{key}", one["confirm"].get(key), most, needed=False)
    if kind in _TEXT_TYPES and not one.get("text"):
        yield f"an empty {kind}"


def _text_problems(what: str, value: Any, most: int, *, needed: bool = True) -> Iterator[str]:
    text = value.get("text") if isinstance(value, dict) else value
    if text is None and not needed:
        return
    if not isinstance(text, str) or not 0 < len(text) <= most:
        yield _length_problem(what, text)


def _length_problem(what: str, text: Any) -> str:
    return f"{what} has {len(text)} characters" if isinstance(text, str) else f"{what} is no text"


def _id_problems(name: str, ids: Sequence[str]) -> Iterator[str]:
    yield from (f"{name} {id_[:40]} is there twice" for id_, n in Counter(ids).items() if n > 1)
    yield from (_length_problem(name, id_) for id_ in ids if len(id_) > MAX_ID)


def _message_problems(objects: Sequence[dict[str, Any]]) -> Iterator[str]:
    tables = [each for each in objects if each.get("type") in TABLE_TYPES]
    if len(tables) > 1:
        yield f"{len(tables)} tables"
    for table in tables:
        rows = table.get("rows", ())
        cells = sum(len(str(each.get("text", ""))) for each in _objects(rows))
        if cells > MAX_CELLS:
            yield f"{cells} characters in a table's cells"
        if any(not 1 <= len(row) <= 20 for row in rows):
            yield "a row of more than 20 cells, or of none"
    marked = sum(len(str(each["text"])) for each in objects if each.get("type") == "markdown")
    if marked > MAX_MARKDOWN:
        yield f"{marked} characters of markdown"


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object, at any depth."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value:
        if isinstance(part, dict | list | tuple):
            yield from _objects(part)
