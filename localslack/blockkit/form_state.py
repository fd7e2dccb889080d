"""Form state: `state.values`, initially and after a user's answers. Pure.

https://docs.slack.dev/reference/block-kit/block-elements
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from localslack.blockkit.elements import STATEFUL, interactive_elements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from localslack.state.messages import Json

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
_FORMATS = {
    "selected_date": (re.compile(r"\d{4}-\d\d-\d\d"), "2026-11-22"),
    "selected_time": (re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d"), "18:30"),
}


def value_field(kind: str) -> str:
    """Return the name of the state field that holds the value of this element type."""
    return _FIELDS.get(kind, "value")


def inputs(blocks: Iterable[Json]) -> Iterator[tuple[Json, Json]]:
    """Yield (block, element) for every element that has a value."""
    for block, element in interactive_elements(blocks):
        if element["type"] in STATEFUL:
            yield block, element


def find_input(blocks: Iterable[Json], name: str) -> tuple[Json, Json]:
    """Return (block, element) of the input with this block id or action id."""
    known = list(inputs(blocks))
    named = [(b, e) for b, e in known if b["block_id"] == name]
    named = named if len(named) == 1 else [(b, e) for b, e in known if e["action_id"] == name]
    if len(named) == 1:
        return named[0]
    names = ", ".join(f"{b['block_id']} ({e['action_id']})" for b, e in known)
    raise LookupError(f"No one input is called {name}; there is {names or 'none'}.")


def initial_values(blocks: Iterable[Json]) -> Json:
    """Return `state.values` before any input."""
    values: Json = {}
    for block, element in inputs(blocks):
        values.setdefault(block["block_id"], {})[element["action_id"]] = initial_state(element)
    return values


def initial_state(element: Json) -> Json:
    """Return the initial state of the element."""
    field = value_field(element["type"])
    initial = field.replace("selected", "initial") if "selected" in field else "initial_value"
    value = element.get(initial)
    return {"type": element["type"], field: _empty(field) if value is None else value}


def answered_state(element: Json, answer: Any) -> Json:
    """Return the state of the element after this answer: a text, a value, a list, or None."""
    field = value_field(element["type"])
    value = _empty(field) if answer is None else _value(element, field, answer)
    return {"type": element["type"], field: value}


def merged(values: Json, newer: Json) -> Json:
    """Return the values, overridden by the newer ones."""
    return {**values, **{block: {**values.get(block, {}), **newer[block]} for block in newer}}


def retained_values(values: Json, blocks: Iterable[Json]) -> Json:
    """Return the values of these blocks; inputs of the same ids and type keep theirs."""
    retained = initial_values(blocks)
    for block, states in retained.items():
        for action, initial in states.items():
            value = values.get(block, {}).get(action, initial)
            states[action] = value if value.get("type") == initial["type"] else initial
    return retained


def action_values(action: Json) -> Json:
    """Return the `state.values` of an action; empty for buttons and overflow menus."""
    if action.get("type") not in STATEFUL:
        return {}
    excluded = {"block_id", "action_id", "action_ts", "text"}
    state = {name: value for name, value in action.items() if name not in excluded}
    return {action["block_id"]: {action["action_id"]: state}}


def own_options(element: Json) -> list[Json]:
    """Return the static options of the element."""
    groups = [option for group in element.get("option_groups") or () for option in group["options"]]
    return [*(element.get("options") or ()), *groups]


def _empty(field: str) -> Any:
    return [] if field.endswith("s") else None


def _value(element: Json, field: str, answer: Any) -> Any:
    answers = [answer] if isinstance(answer, str | dict) else answer
    if field == "selected_options":
        return [_option(element, one) for one in answers]
    if field == "selected_option":
        return _option(element, answer)
    if field == "value":
        return str(answer)
    pattern, example = _FORMATS.get(field, (None, ""))
    if pattern and not pattern.fullmatch(answer):
        raise ValueError(f"{answer} is not written like {example}.")
    return list(answers) if field.endswith("s") else answer


def _option(element: Json, answer: Any) -> Json:
    if isinstance(answer, dict):  # an option that the app returned
        return answer
    if element["type"].endswith("external_select"):
        return {"text": {"type": "plain_text", "text": answer}, "value": answer}
    options = own_options(element)
    for option in options:
        if option.get("value") == answer:
            return option
    known = ", ".join(str(option.get("value")) for option in options)
    raise LookupError(f"{answer} is not on offer; there are {known}.")
