"""What an interactive element may hold: buttons, menus, inputs. Pure.

https://docs.slack.dev/reference/block-kit/block-elements
"""

from __future__ import annotations

from bot.playground.rules import (
    Check,
    any_field,
    anything,
    boolean,
    both,
    items,
    kind,
    number,
    one_of,
    plain,
    shape,
    string,
    text,
    typed,
)

_ACTION = {"action_id": string(255)}
CONFIRM = shape(
    {"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)},
    {"style": one_of("primary", "danger")},
)
_STYLE = {"style": one_of("primary", "danger")}
_COMMON = {**_ACTION, "confirm": CONFIRM, "focus_on_load": boolean}
_OPTION = shape({"text": plain(75), "value": string(150)}, {"description": plain(75)})
_TICK = shape({"text": text(75), "value": string(150)}, {"description": text(75)})
_LINKED = shape(
    {"text": plain(75), "value": string(150)}, {"description": plain(75), "url": string(3000)}
)
_GROUP = shape({"label": plain(75), "options": items(_OPTION, 1, 100)})
OFFER = shape(
    {}, {"options": items(_OPTION, 0, 100), "option_groups": items(_GROUP, 0, 100)}
)  # what answers a block_suggestion
_MANY = {"max_selected_items": number(1)}

BUTTON = kind(
    "button",
    {"text": plain(75)},
    {
        **_ACTION,
        **_STYLE,
        "url": string(3000),
        "value": string(2000),
        "confirm": CONFIRM,
        "accessibility_label": string(75),
    },
)
OVERFLOW = kind("overflow", {"options": items(_LINKED, 1, 5)}, {**_ACTION, "confirm": CONFIRM})
IMAGE = both(
    kind(
        "image",
        {"alt_text": string(2000)},
        {"image_url": string(3000), "slack_file": shape({}, {"id": string(), "url": string()})},
    ),
    any_field("image_url", "slack_file"),
)


def _menu(name: str, **optional: Check) -> Check:
    return kind(name, {}, {**_COMMON, "placeholder": plain(150), **optional})


def _static(name: str, **optional: Check) -> Check:
    lists = {"options": items(_OPTION, 1, 100), "option_groups": items(_GROUP, 1, 100)}
    return both(_menu(name, **lists, **optional), any_field("options", "option_groups"))


def _input(name: str, **optional: Check) -> Check:
    own = {"initial_value": anything, "dispatch_action_config": anything}
    return kind(name, {}, {**_COMMON, "placeholder": plain(150), **own, **optional})


def _ticks(name: str, **optional: Check) -> Check:
    return kind(name, {"options": items(_TICK, 1, 10)}, {**_COMMON, **optional})


_LENGTH = number(0, 3000)
_RESPONSE = {"response_url_enabled": boolean}
_CONVERSATION = {"default_to_current_conversation": boolean, "filter": anything}

_MENUS: dict[str, Check] = {
    "static_select": _static("static_select", initial_option=_OPTION),
    "multi_static_select": _static(
        "multi_static_select", initial_options=items(_OPTION, 1, 100), **_MANY
    ),
    "external_select": _menu("external_select", min_query_length=number(0), initial_option=_OPTION),
    "multi_external_select": _menu(
        "multi_external_select",
        min_query_length=number(0),
        initial_options=items(_OPTION),
        **_MANY,
    ),
    "users_select": _menu("users_select", initial_user=string()),
    "multi_users_select": _menu("multi_users_select", initial_users=items(string()), **_MANY),
    "channels_select": _menu("channels_select", initial_channel=string(), **_RESPONSE),
    "multi_channels_select": _menu(
        "multi_channels_select", initial_channels=items(string()), **_MANY
    ),
    "conversations_select": _menu(
        "conversations_select", initial_conversation=string(), **_RESPONSE, **_CONVERSATION
    ),
    "multi_conversations_select": _menu(
        "multi_conversations_select",
        initial_conversations=items(string()),
        **_MANY,
        **_CONVERSATION,
    ),
    "checkboxes": _ticks("checkboxes", initial_options=items(_TICK, 1, 10)),
    "radio_buttons": _ticks("radio_buttons", initial_option=_TICK),
    "datepicker": _menu("datepicker", initial_date=string()),
    "timepicker": _menu("timepicker", initial_time=string(), timezone=string()),
    "datetimepicker": _menu("datetimepicker", initial_date_time=number()),
}
_INPUTS: dict[str, Check] = {
    "plain_text_input": _input(
        "plain_text_input", multiline=boolean, min_length=_LENGTH, max_length=_LENGTH
    ),
    "email_text_input": _input("email_text_input"),
    "url_text_input": _input("url_text_input"),
    "number_input": _input(
        "number_input", is_decimal_allowed=boolean, min_value=anything, max_value=anything
    ),
    "rich_text_input": _input("rich_text_input", min_lines=number(), max_lines=number()),
    "file_input": _input("file_input", filetypes=items(string()), max_files=number(1, 10)),
}
_WORKFLOW = kind(
    "workflow_button",
    {"text": plain(75), "workflow": anything},
    {**_ACTION, **_STYLE, "accessibility_label": string(75)},
)
_FEEDBACK = kind(
    "feedback_buttons", {"positive_button": anything, "negative_button": anything}, _ACTION
)
_ICON = kind(
    "icon_button",
    {"icon": string(), "text": plain(75)},
    {**_ACTION, "value": string(2000), "confirm": CONFIRM, "accessibility_label": string(75)},
)

_PRESSED: dict[str, Check] = {"button": BUTTON, "overflow": OVERFLOW, "workflow_button": _WORKFLOW}
ACTIONS = typed({**_PRESSED, **_MENUS})
ACCESSORY = typed({**_PRESSED, **_MENUS, "image": IMAGE})
INPUT = typed({**_MENUS, **_INPUTS})
CONTEXT_ACTIONS = typed({"feedback_buttons": _FEEDBACK, "icon_button": _ICON})
