"""What a call wants to say: text, blocks and metadata, checked as Slack checks them. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bot.playground.kinds import strings
from bot.playground.limits import problems
from bot.playground.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.playground.arguments import Arguments
    from bot.playground.messages import Json
    from bot.playground.workspace import Workspace

LONGEST_POST = 40_000  # https://docs.slack.dev/reference/methods/chat.postMessage
LONGEST_UPDATE = 4_000  # https://docs.slack.dev/reference/methods/chat.update
# Characters of JSON; observed by others, not documented. Of a table only the words can count: 100
# rows, which the documentation allows, weigh more than this by their brackets alone.
HEAVIEST_BLOCKS = 13_000
_TABLES = {"table", "data_table"}
UNSHOWN = "This content can't be displayed."


def read(workspace: Workspace, asked: Arguments, *, longest: int = LONGEST_POST) -> Json:
    """Return the message fields that were given, checked; missing ones stay missing."""
    fields: Json = {}
    text = asked.optional("text") or asked.optional("markdown_text")
    if text is not None:
        fields["text"] = _short(text, longest)
    blocks = asked.listed("blocks", "invalid_blocks_format")
    if blocks is not None:
        fields["blocks"] = checked(workspace, blocks)
    attachments = asked.listed("attachments", "invalid_attachments")
    if attachments is not None:
        fields["attachments"] = tuple(attachments)
    return fields


def demand_something(fields: Json) -> None:
    """Refuse a message that says nothing."""
    said = str(fields.get("text") or "").strip()
    if not (said or fields.get("blocks") or fields.get("attachments")):
        raise RefusedError("no_text")


def metadata(asked: Arguments) -> Json | None:
    """Return the metadata that was given, checked; an empty object means none."""
    given = asked.mapped("metadata", "metadata_must_be_sent_as_json")
    if not given or "entities" in given:
        return given
    if not isinstance(given.get("event_type"), str) or not given["event_type"]:
        raise RefusedError("invalid_metadata_schema")
    if not isinstance(given.get("event_payload"), dict):
        raise RefusedError("invalid_metadata_schema")
    return given


def checked(workspace: Workspace, blocks: list[Any], surface: str = "message") -> tuple[Json, ...]:
    """Return the blocks with ids, or refuse what Slack would refuse."""
    found = problems(blocks, surface, frozenset(workspace.refused_blocks))
    if found:
        raise RefusedError("invalid_blocks", problems=tuple(found))
    if sum(map(_weight, blocks)) > HEAVIEST_BLOCKS:
        raise RefusedError("msg_blocks_too_long")
    return identified(workspace, blocks)


def identified(workspace: Workspace, blocks: list[Any]) -> tuple[Json, ...]:
    """Return the blocks with the ids that Slack gives to those that have none."""
    return tuple(_with_ids(workspace, block) for block in blocks)


def placed(blocks: Iterable[Json]) -> Iterator[tuple[Json, Json]]:
    """Return every interactive element after the block that it stands in, at any depth."""
    for block in blocks:
        yield from placed(block.get("child_blocks") or ())
        for element in _elements(block):
            yield block, element


def _elements(block: Json) -> Iterator[Json]:
    nested = block.get("elements") or [] if block.get("type") != "rich_text" else []
    nested = [*nested, *(block.get("actions") or ())]
    for element in [*nested, block.get("accessory"), block.get("element")]:
        if isinstance(element, dict) and "action_id" in element:
            yield element


def _short(text: str, longest: int) -> str:
    if len(text) > longest:
        raise RefusedError("msg_too_long")
    return text


def _weight(block: Json) -> int:
    rows = block["rows"] if block["type"] in _TABLES else ()
    counted = {**block, "rows": []} if rows else block
    inner = block.get("child_blocks") or ()
    counted = {**counted, "child_blocks": []} if inner else counted
    own = len(json.dumps(counted, separators=(",", ":")))
    return own + sum(map(len, strings(rows))) + sum(map(_weight, inner))


def _with_ids(workspace: Workspace, block: Json) -> Json:
    named = {**block, "block_id": block.get("block_id") or workspace.next_id("b")}
    if "child_blocks" in block:
        named["child_blocks"] = list(identified(workspace, block["child_blocks"]))
    if block["type"] in {"actions", "context_actions"}:
        named["elements"] = [_acting(workspace, element) for element in block["elements"]]
    for place in ("accessory", "element"):
        if place in block:
            named[place] = _acting(workspace, block[place])
    return named


def _acting(workspace: Workspace, element: Json) -> Json:
    if element["type"] == "image":
        return element
    return {**element, "action_id": element.get("action_id") or workspace.next_id("a")}
