"""Validates the message content of a call: text, blocks and metadata. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from localslack.blockkit.block_types import cell_texts
from localslack.blockkit.validation import problems
from localslack.state.errors import SlackApiError

if TYPE_CHECKING:
    from localslack.api.arguments import Arguments
    from localslack.state.messages import Json
    from localslack.state.workspace import Workspace

MAX_POST_LENGTH = 40_000  # https://docs.slack.dev/reference/methods/chat.postMessage
MAX_UPDATE_LENGTH = 4_000  # UTF-8 bytes: https://docs.slack.dev/reference/methods/chat.update
# Characters of JSON; undocumented, observed by others. Of a table only the cell texts can count:
# the JSON syntax of 100 rows, which the documentation allows, exceeds this limit by itself.
MAX_BLOCKS_SIZE = 13_000
_TABLES = {"table", "data_table"}
FALLBACK_TEXT = "This content can't be displayed."


def message_fields(
    workspace: Workspace, arguments: Arguments, *, max_length: int = MAX_POST_LENGTH
) -> Json:
    """Return the validated message fields of a call; omitted fields stay omitted."""
    fields: Json = {}
    text = arguments.optional("text") or arguments.optional("markdown_text")
    if text is not None:
        fields["text"] = _within_limit(text, max_length)
    blocks = arguments.json_list("blocks", "invalid_blocks_format")
    if blocks is not None:
        fields["blocks"] = validated_blocks(workspace, blocks)
    attachments = arguments.json_list("attachments", "invalid_attachments")
    if attachments is not None:
        fields["attachments"] = tuple(attachments)
    return fields


def require_content(fields: Json) -> None:
    """Raise SlackApiError if the message has neither text nor blocks nor attachments."""
    text = str(fields.get("text") or "").strip()
    if not (text or fields.get("blocks") or fields.get("attachments")):
        raise SlackApiError("no_text")


def parse_metadata(arguments: Arguments) -> Json | None:
    """Return the validated metadata; an empty object means none."""
    value = arguments.json_object("metadata", "metadata_must_be_sent_as_json")
    if not value or "entities" in value:
        return value
    if not isinstance(value.get("event_type"), str) or not value["event_type"]:
        raise SlackApiError("invalid_metadata_schema")
    if not isinstance(value.get("event_payload"), dict):
        raise SlackApiError("invalid_metadata_schema")
    return value


def validated_blocks(
    workspace: Workspace, blocks: list[Any], surface: str = "message"
) -> tuple[Json, ...]:
    """Return the blocks with ids. Raise SlackApiError if Slack would reject them."""
    found = problems(blocks, surface, frozenset(workspace.refused_blocks))
    if found:
        raise SlackApiError("invalid_blocks", problems=tuple(found))
    if sum(map(_counted_size, blocks)) > MAX_BLOCKS_SIZE:
        raise SlackApiError("msg_blocks_too_long")
    return with_ids(workspace, blocks)


def with_ids(workspace: Workspace, blocks: list[Any]) -> tuple[Json, ...]:
    """Return the blocks with generated block and action ids where ids are missing."""
    return tuple(_block_with_ids(workspace, block) for block in blocks)


def _within_limit(text: str, limit: int) -> str:
    if len(text.encode("utf-8", "replace")) > limit:
        raise SlackApiError("msg_too_long")
    return text


def _counted_size(block: Json) -> int:
    rows = block["rows"] if block["type"] in _TABLES else ()
    counted = {**block, "rows": []} if rows else block
    inner = block.get("child_blocks") or ()
    counted = {**counted, "child_blocks": []} if inner else counted
    own = len(json.dumps(counted, separators=(",", ":")))
    return own + sum(map(len, cell_texts(rows))) + sum(map(_counted_size, inner))


def _block_with_ids(workspace: Workspace, block: Json) -> Json:
    result = {**block, "block_id": block.get("block_id") or workspace.next_id("b")}
    if "child_blocks" in block:
        result["child_blocks"] = list(with_ids(workspace, block["child_blocks"]))
    if block["type"] in {"actions", "context_actions"}:
        result["elements"] = [_element_with_id(workspace, element) for element in block["elements"]]
    for field in ("accessory", "element"):
        if field in block:
            result[field] = _element_with_id(workspace, block[field])
    return result


def _element_with_id(workspace: Workspace, element: Json) -> Json:
    if element["type"] == "image":
        return element
    return {**element, "action_id": element.get("action_id") or workspace.next_id("a")}
