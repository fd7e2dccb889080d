"""What an input holds: one entry of `state.values`, as it begins and as people fill it in. Pure.

https://docs.slack.dev/reference/block-kit/block-elements
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bot.playground.content import placed
from bot.playground.controls import STATEFUL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.playground.messages import Json

_FIELDS = {
    "static_select": "selected_option",
    "external_select": "selected_option",
    "radio_buttons": "selected_option",
    "overflow": "selected_option",
    "multi_static_select": "selected_options",
    "multi_external_select": "selected_options",
    "checkboxes": "selected_options",
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "multi_users_select": "selected_users",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "rich_text_input": "rich_text_value",
    "file_input": "files",
}
_WRITTEN = {
    "selected_date": (re.compile(r"\d{4}-\d\d-\d\d"), "2026-11-22"),
    "selected_time": (re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d"), "18:30"),
}


def field_of(kind: str) -> str:
    """Return the name of the field that holds the answer of such an element."""
    return _FIELDS.get(kind, "value")


def inputs(blocks: Iterable[Json]) -> Iterator[tuple[Json, Json]]:
    """Return every element that holds an answer, after its block."""
    for block, element in placed(blocks):
        if element["type"] in STATEFUL:
            yield block, element


def called(blocks: Iterable[Json], name: str) -> tuple[Json, Json]:
    """Return the input of this block id or action id, after its block."""
    known = list(inputs(blocks))
    named = [(b, e) for b, e in known if b["block_id"] == name]
    named = named if len(named) == 1 else [(b, e) for b, e in known if e["action_id"] == name]
    if len(named) == 1:
        return named[0]
    names = ", ".join(f"{b['block_id']} ({e['action_id']})" for b, e in known)
    raise LookupError(f"No one input is called {name}; there is {names or 'none'}.")


def beginnings(blocks: Iterable[Json]) -> Json:
    """Return `state.values` as they are before anybody has touched anything."""
    values: Json = {}
    for block, element in inputs(blocks):
        values.setdefault(block["block_id"], {})[element["action_id"]] = beginning(element)
    return values


def beginning(element: Json) -> Json:
    """Return what the element holds at first."""
    field = field_of(element["type"])
    initial = field.replace("selected", "initial") if "selected" in field else "initial_value"
    held = element.get(initial)
    return {"type": element["type"], field: _nothing(field) if held is None else held}


def filled(element: Json, answer: Any) -> Json:
    """Return what the element holds after this answer: a text, a value, several, or None."""
    field = field_of(element["type"])
    held = _nothing(field) if answer is None else _held(element, field, answer)
    return {"type": element["type"], field: held}


def merged(values: Json, newer: Json) -> Json:
    """Return these values with the newer ones in their places."""
    return {**values, **{block: {**values.get(block, {}), **newer[block]} for block in newer}}


def kept(values: Json, blocks: Iterable[Json]) -> Json:
    """Return the values that these blocks take over: same ids, same type of element."""
    taken = beginnings(blocks)
    for block, entries in taken.items():
        for action, entry in entries.items():
            held = values.get(block, {}).get(action, entry)
            entries[action] = held if held.get("type") == entry["type"] else entry
    return taken


def of_action(action: Json) -> Json:
    """Return what an action leaves in `state.values`; buttons and overflow menus leave nothing."""
    if action.get("type") not in STATEFUL:
        return {}
    left_out = {"block_id", "action_id", "action_ts", "text"}
    held = {name: value for name, value in action.items() if name not in left_out}
    return {action["block_id"]: {action["action_id"]: held}}


def offered(element: Json) -> list[Json]:
    """Return the options that the element shows by itself."""
    groups = [option for group in element.get("option_groups") or () for option in group["options"]]
    return [*(element.get("options") or ()), *groups]


def _nothing(field: str) -> Any:
    return [] if field.endswith("s") else None


def _held(element: Json, field: str, answer: Any) -> Any:
    many = [answer] if isinstance(answer, str | dict) else answer
    if field == "selected_options":
        return [_option(element, one) for one in many]
    if field == "selected_option":
        return _option(element, answer)
    if field == "value":
        return str(answer)
    pattern, example = _WRITTEN.get(field, (None, ""))
    if pattern and not pattern.fullmatch(answer):
        raise ValueError(f"{answer} is not written like {example}.")
    return list(many) if field.endswith("s") else answer


def _option(element: Json, answer: Any) -> Json:
    if isinstance(answer, dict):  # an option that the app has offered
        return answer
    if element["type"].endswith("external_select"):
        return {"text": {"type": "plain_text", "text": answer}, "value": answer}
    options = offered(element)
    for option in options:
        if option.get("value") == answer:
            return option
    known = ", ".join(str(option.get("value")) for option in options)
    raise LookupError(f"{answer} is not on offer; there are {known}.")
