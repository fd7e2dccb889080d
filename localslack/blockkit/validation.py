"""Validates blocks and views against Block Kit's limits. Pure.

Numbers: https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from localslack.blockkit.block_types import HOME_BLOCKS, MESSAGE_BLOCKS, MODAL_BLOCKS
from localslack.blockkit.checks import (
    Check,
    anything,
    boolean,
    by_type,
    items,
    plain_text,
    problem,
    string,
    typed_object,
)
from localslack.blockkit.elements import OPTIONS_RESPONSE

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

_SURFACES = {"message": MESSAGE_BLOCKS, "modal": MODAL_BLOCKS, "home": HOME_BLOCKS}
_MAX_BLOCKS = {"message": 50, "modal": 100, "home": 100}
_MAX_MARKDOWN = 12_000
_MAX_CHARTS = 2
_MAX_VIEW_SIZE = 250_000  # characters of JSON


def problems(blocks: Any, surface: str, refused: frozenset[str] = frozenset()) -> list[str]:
    """Return every violation in these blocks, in Slack's words.

    `surface` is message, modal or home; `refused` names block types that this workspace does not
    support.
    """
    known = {name: check for name, check in _SURFACES[surface].items() if name not in refused}
    found = list(items(by_type(known), 0, _MAX_BLOCKS[surface])(blocks, "/blocks"))
    if found:
        return found
    inner = list(_typed_objects(blocks))
    return [*_unsupported(inner, refused), *_combined_violations(blocks, inner)]


def options_problems(offer: Json) -> list[str]:
    """Return every violation in a response to a `block_suggestion`."""
    return list(OPTIONS_RESPONSE(offer, "/options"))


def view_problems(view: Any, refused: frozenset[str] = frozenset()) -> list[str]:
    """Return every violation in this view, in Slack's words."""
    surface = view.get("type") if isinstance(view, dict) else None
    if surface not in {"modal", "home"}:
        return [problem("must be an object of type modal or home", "/view")]
    found = list(_VIEWS[surface](view, "/view")) or list(_submit_violations(view))
    if not found and len(json.dumps(view)) > _MAX_VIEW_SIZE:
        found = [problem(f"must be less than {_MAX_VIEW_SIZE} characters", "/view")]
    return found or problems(view["blocks"], surface, refused) or list(_focus_violations(view))


_COMMON: dict[str, Check] = {
    "private_metadata": string(3000, min_length=0),
    "callback_id": string(255, min_length=0),
    "external_id": string(255, min_length=0),
}
_VIEWS = {
    "home": typed_object("home", {"blocks": anything}, _COMMON),
    "modal": typed_object(
        "modal",
        {"title": plain_text(24), "blocks": anything},
        {
            **_COMMON,
            "submit": plain_text(24),
            "close": plain_text(24),
            "clear_on_close": boolean,
            "notify_on_close": boolean,
            "submit_disabled": boolean,
        },
    ),
}


def _submit_violations(view: Json) -> Iterator[str]:
    blocks = view["blocks"] if isinstance(view["blocks"], list) else []
    has_input = any(isinstance(block, dict) and block.get("type") == "input" for block in blocks)
    if has_input and view["type"] == "modal" and not view.get("submit"):
        yield problem("a modal with input blocks must have a submit button", "/view/submit")


def _focus_violations(view: Json) -> Iterator[str]:
    if sum(each.get("focus_on_load") is True for each in _typed_objects(view["blocks"])) > 1:
        yield problem("only one element may have focus_on_load", "/view/blocks")


def _typed_objects(value: Any) -> Iterator[Json]:
    """Yield every object that has a `type`, at any depth."""
    if isinstance(value, dict):
        if isinstance(value.get("type"), str):
            yield value
        for item in value.values():
            yield from _typed_objects(item)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _typed_objects(each)


def _unsupported(inner: list[Json], refused: frozenset[str]) -> Iterator[str]:
    for name in sorted(refused & {each["type"] for each in inner}):
        yield problem(f"unsupported type: {name}", "/blocks")


def _combined_violations(blocks: list[Json], inner: list[Json]) -> Iterator[str]:
    kinds = Counter(each["type"] for each in inner)
    if kinds["table"] + kinds["data_table"] > 1:
        yield problem("only one table is allowed", "/blocks")
    if kinds["data_visualization"] > _MAX_CHARTS:
        yield problem(f"no more than {_MAX_CHARTS} charts allowed", "/blocks")
    markdown_length = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if markdown_length > _MAX_MARKDOWN:
        yield problem(f"no more than {_MAX_MARKDOWN} characters of markdown allowed", "/blocks")
    for name in ("block_id", "action_id"):
        yield from _duplicates(name, inner)


def _duplicates(name: str, inner: list[Json]) -> Iterator[str]:
    counted = Counter(each[name] for each in inner if each.get(name))
    for value, times in counted.items():
        if times > 1:
            yield problem(f"`{name}` {value} already exists", "/blocks")
