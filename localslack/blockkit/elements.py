"""Schema of interactive elements: buttons, menus, inputs. Pure.

https://docs.slack.dev/reference/block-kit/block-elements
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localslack.blockkit.checks import (
    Check,
    all_of,
    any_field,
    anything,
    boolean,
    by_type,
    items,
    number,
    one_of,
    pattern,
    plain_text,
    problem,
    shape,
    string,
    text_object,
    typed_object,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from localslack.state.messages import Json

_ACTION = {"action_id": string(255)}
CONFIRM = shape(
    {
        "title": plain_text(100),
        "text": text_object(300),
        "confirm": plain_text(30),
        "deny": plain_text(30),
    },
    {"style": one_of("primary", "danger")},
)
_STYLE = {"style": one_of("primary", "danger")}
_COMMON = {**_ACTION, "confirm": CONFIRM, "focus_on_load": boolean}
_OPTION = shape({"text": plain_text(75), "value": string(150)}, {"description": plain_text(75)})
_CHECK_OPTION = shape(
    {"text": text_object(75), "value": string(150)}, {"description": text_object(75)}
)
_OVERFLOW_OPTION = shape(
    {"text": plain_text(75), "value": string(150)},
    {"description": plain_text(75), "url": string(3000)},
)
_GROUP = shape({"label": plain_text(75), "options": items(_OPTION, 1, 100)})
OPTIONS_RESPONSE = shape(
    {}, {"options": items(_OPTION, 0, 100), "option_groups": items(_GROUP, 0, 100)}
)  # the response to a block_suggestion
_MULTI = {"max_selected_items": number(1)}

BUTTON = typed_object(
    "button",
    {"text": plain_text(75)},
    {
        **_ACTION,
        **_STYLE,
        "url": string(3000),
        "value": string(2000),
        "confirm": CONFIRM,
        "accessibility_label": string(75),
    },
)
OVERFLOW = typed_object(
    "overflow", {"options": items(_OVERFLOW_OPTION, 1, 5)}, {**_ACTION, "confirm": CONFIRM}
)
IMAGE = all_of(
    typed_object(
        "image",
        {"alt_text": string(2000)},
        {"image_url": string(3000), "slack_file": shape({}, {"id": string(), "url": string()})},
    ),
    any_field("image_url", "slack_file"),
)


def _option_keys(value: Any) -> list[tuple[Any, Any]]:
    listed = value if isinstance(value, list | tuple) else [value]
    options = [each for each in listed if isinstance(each, dict)]
    return [(option.get("value"), str(option.get("text"))) for option in options]


def _initial_among_options(value: Any, path: str) -> Iterator[str]:
    groups = [each for each in value.get("option_groups") or () if isinstance(each, dict)]
    lists = [value.get("options"), *(group.get("options") for group in groups)]
    known = [option for each in lists for option in _option_keys(each)]
    for name in ("initial_option", "initial_options"):
        if any(option not in known for option in _option_keys(value.get(name))):
            yield problem("must be among the options", f"{path}/{name}")


def _ordered(lower: str, upper: str) -> Check:
    def check(value: Any, path: str) -> Iterator[str]:
        low, high = _amount(value.get(lower)), _amount(value.get(upper))
        if low is not None and high is not None and low > high:
            yield problem(f"must not be greater than {upper}", f"{path}/{lower}")

    return check


def _amount(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None


def _menu(name: str, **optional: Check) -> Check:
    return typed_object(name, {}, {**_COMMON, "placeholder": plain_text(150), **optional})


def _static(name: str, **optional: Check) -> Check:
    lists = {"options": items(_OPTION, 1, 100), "option_groups": items(_GROUP, 1, 100)}
    return all_of(
        _menu(name, **lists, **optional),
        any_field("options", "option_groups"),
        _initial_among_options,
    )


def _input(name: str, **optional: Check) -> Check:
    own = {"initial_value": anything, "dispatch_action_config": anything}
    return typed_object(name, {}, {**_COMMON, "placeholder": plain_text(150), **own, **optional})


def _check_list(name: str, **optional: Check) -> Check:
    choices = typed_object(name, {"options": items(_CHECK_OPTION, 1, 10)}, {**_COMMON, **optional})
    return all_of(choices, _initial_among_options)


_DATE = pattern(r"\d{4}-\d\d-\d\d", "a date: YYYY-MM-DD")
_TIME = pattern(r"([01]\d|2[0-3]):[0-5]\d", "a time: HH:mm")
_NUMERIC = pattern(r"-?\d+(\.\d+)?", "a number")
_RESPONSE = {"response_url_enabled": boolean}
_CONVERSATION = {"default_to_current_conversation": boolean, "filter": anything}

_MENUS: dict[str, Check] = {
    "static_select": _static("static_select", initial_option=_OPTION),
    "multi_static_select": _static(
        "multi_static_select", initial_options=items(_OPTION, 1, 100), **_MULTI
    ),
    "external_select": _menu("external_select", min_query_length=number(0), initial_option=_OPTION),
    "multi_external_select": _menu(
        "multi_external_select",
        min_query_length=number(0),
        initial_options=items(_OPTION),
        **_MULTI,
    ),
    "users_select": _menu("users_select", initial_user=string()),
    "multi_users_select": _menu("multi_users_select", initial_users=items(string()), **_MULTI),
    "channels_select": _menu("channels_select", initial_channel=string(), **_RESPONSE),
    "multi_channels_select": _menu(
        "multi_channels_select", initial_channels=items(string()), **_MULTI
    ),
    "conversations_select": _menu(
        "conversations_select", initial_conversation=string(), **_RESPONSE, **_CONVERSATION
    ),
    "multi_conversations_select": _menu(
        "multi_conversations_select",
        initial_conversations=items(string()),
        **_MULTI,
        **_CONVERSATION,
    ),
    "checkboxes": _check_list("checkboxes", initial_options=items(_CHECK_OPTION, 1, 10)),
    "radio_buttons": _check_list("radio_buttons", initial_option=_CHECK_OPTION),
    "datepicker": _menu("datepicker", initial_date=_DATE),
    "timepicker": _menu("timepicker", initial_time=_TIME, timezone=string()),
    "datetimepicker": _menu("datetimepicker", initial_date_time=number()),
}
_INPUTS: dict[str, Check] = {
    "plain_text_input": all_of(
        _input(
            "plain_text_input",
            initial_value=string(3000, min_length=0),
            multiline=boolean,
            min_length=number(0, 3000),
            max_length=number(1, 3000),
        ),
        _ordered("min_length", "max_length"),
    ),
    "email_text_input": _input("email_text_input"),
    "url_text_input": _input("url_text_input"),
    "number_input": all_of(
        _input(
            "number_input",
            is_decimal_allowed=boolean,
            initial_value=_NUMERIC,
            min_value=_NUMERIC,
            max_value=_NUMERIC,
        ),
        any_field("is_decimal_allowed"),
        _ordered("min_value", "max_value"),
    ),
    "rich_text_input": _input("rich_text_input", min_lines=number(), max_lines=number()),
    "file_input": _input("file_input", filetypes=items(string()), max_files=number(1, 10)),
}
# Element types with a value in `state.values`: all but buttons and overflow menus.
STATEFUL = frozenset({**_MENUS, **_INPUTS})
_WORKFLOW = typed_object(
    "workflow_button",
    {"text": plain_text(75), "workflow": anything},
    {**_ACTION, **_STYLE, "accessibility_label": string(75)},
)
_FEEDBACK = typed_object(
    "feedback_buttons", {"positive_button": anything, "negative_button": anything}, _ACTION
)
_ICON = typed_object(
    "icon_button",
    {"icon": string(), "text": plain_text(75)},
    {**_ACTION, "value": string(2000), "confirm": CONFIRM, "accessibility_label": string(75)},
)

_BUTTONS: dict[str, Check] = {"button": BUTTON, "overflow": OVERFLOW, "workflow_button": _WORKFLOW}
ACTIONS = by_type({**_BUTTONS, **_MENUS})
ACCESSORY = by_type({**_BUTTONS, **_MENUS, "image": IMAGE})
INPUT = by_type({**_MENUS, **_INPUTS})
CONTEXT_ACTIONS = by_type({"feedback_buttons": _FEEDBACK, "icon_button": _ICON})


def interactive_elements(blocks: Iterable[Json]) -> Iterator[tuple[Json, Json]]:
    """Yield (block, element) for every interactive element, at any depth."""
    for block in blocks:
        yield from interactive_elements(block.get("child_blocks") or ())
        for element in _elements(block):
            yield block, element


def _elements(block: Json) -> Iterator[Json]:
    nested = block.get("elements") or [] if block.get("type") != "rich_text" else []
    nested = [*nested, *(block.get("actions") or ())]
    for element in [*nested, block.get("accessory"), block.get("element")]:
        if isinstance(element, dict) and "action_id" in element:
            yield element
