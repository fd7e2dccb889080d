"""Renders the settings modal. Pure; no I/O.

Slack keeps an input's value as long as its block_id is the same. A preset therefore gives the
inputs that it fills a new block_id, and keeps those of the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.notifications import settings_text
from bot.notifications.policy_text import FIELD_TEXTS, YES_NO, choice_key
from bot.notifications.settings_patch import PRESET_FIELDS
from bot.sdk.cards import blocks
from bot.sdk.cards.action_ids import ActionId
from bot.sdk.models import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.notifications.effective_settings import ChannelSettings
    from bot.notifications.policy import NotificationPolicy
    from bot.slack.payloads import Payload

CALLBACK_ID = "settings"  # the modal's callback_id
# action_ids of inputs that are only part of a policy field.
GROUP, BEGINS, ENDS, ZONE, ALLOW_FAILURES = "group", "begins", "ends", "zone", "allow_failures"
SEARCH_INPUTS = (GROUP, ZONE)  # external selects: options are loaded while the user types
TITLE = "What is told here"  # at most 24 characters
NOTE = "Nothing changes until you press Save."


class ModalContext(Value):
    """The modal's context, stored as its private_metadata."""

    channel: str
    revision: int  # of the settings shown
    preset_fills: int = 0  # how often a preset has filled its inputs
    default_fills: int = 0  # how often the defaults have filled the other inputs

    def block_id(self, name: str) -> str:
        """Return the block_id of an input."""
        return f"{name}.{self.preset_fills if name in PRESET_FIELDS else self.default_fills}"

    def with_preset(self, preset: str) -> ModalContext:
        """Return the context after a preset or the defaults were filled in."""
        default_fills = self.default_fills + (preset == "default")
        return self.replace(preset_fills=self.preset_fills + 1, default_fills=default_fills)


@dataclass(frozen=True)
class ModalBuilder:
    """Builds the modal: its context, the channel settings, and the initial input values."""

    context: ModalContext
    settings: ChannelSettings
    values: NotificationPolicy
    group: str = ""  # the group's handle, if known

    def input(self, name: str, element: Payload, *, of: str = "", optional: bool = False) -> Any:
        """Return an input block; its hint gives the meaning and the origin of the current value."""
        label, meaning = _LABELS.get(name) or (
            FIELD_TEXTS[name].label,
            FIELD_TEXTS[name].description,
        )
        hint = f"{meaning} Now: {settings_text.origin_text(of or name, self.settings).lower()}."
        return {
            "type": "input",
            "block_id": self.context.block_id(name),
            "label": blocks.plain(label),
            "hint": blocks.plain(hint),
            "element": {**element, "action_id": name},
            "optional": optional,
        }


_LABELS: Mapping[str, tuple[str, str]] = {
    GROUP: ("User group", "Which one is called; only needed where a user group is to be called."),
    BEGINS: ("Quiet hours begin", FIELD_TEXTS["quiet_hours"].description),
    ENDS: ("Quiet hours end", "They may reach over midnight. Empty both for no quiet hours."),
    ZONE: ("Time zone of the quiet hours", "Yours comes first; type to find another."),
    ALLOW_FAILURES: ("Failures in quiet hours", "Whether failures are told at once all the same."),
}


def view(
    page: ModalContext, settings: ChannelSettings, filled: NotificationPolicy, group: str = ""
) -> Payload:
    """Return the modal as `views.open` and `views.update` take it."""
    builder = ModalBuilder(page, settings, filled, group)
    return {
        "type": "modal",
        "callback_id": CALLBACK_ID,
        "private_metadata": page.model_dump_json(),
        "title": blocks.plain(TITLE),
        "submit": blocks.plain("Save"),
        "close": blocks.plain("Cancel"),
        "blocks": [
            *_header(settings),
            *_field_inputs(builder),
            *_quiet_inputs(builder),
            *_other_inputs(builder),
        ],
    }


def read_only_view(settings: ChannelSettings, why: str) -> Payload:
    """Return a read-only modal for a user who may not change the settings."""
    lines = "\n".join(f"• {line}" for line in settings_text.setting_lines(settings))
    shown = [
        blocks.section(lines),
        blocks.context(settings_text.last_changed_by(settings), blocks.plain(why)),
    ]
    return {
        "type": "modal",
        "title": blocks.plain(TITLE),
        "close": blocks.plain("Close"),
        "blocks": shown,
    }


def _header(settings: ChannelSettings) -> list[blocks.Block]:
    buttons = [
        blocks.button(label, ActionId.PRESET.with_suffix(name), value=name)
        for label, name in settings_text.PRESET_BUTTONS
    ]
    return [*blocks.actions(buttons), blocks.context(settings_text.last_changed_by(settings), NOTE)]


def _field_inputs(builder: ModalBuilder) -> list[blocks.Block]:
    names = ("follow_ups", "tasks", "broadcast", "mention")
    selects = [builder.input(name, _select(name, builder.values)) for name in names]
    return [*selects, builder.input(GROUP, _group_select(builder), of="mention", optional=True)]


def _select(name: str, filled: NotificationPolicy) -> Payload:
    options = {value: _option(label, value) for value, label in FIELD_TEXTS[name].choices.items()}
    return {
        "type": "static_select",
        "options": list(options.values()),
        "initial_option": options[choice_key(name, filled)],
    }


def _group_select(builder: ModalBuilder) -> Payload:
    id_ = builder.values.group
    initial = {"initial_option": _option(builder.group or id_, id_)} if id_ else {}
    placeholder = blocks.plain("Type a name, or the group's id")
    return {
        "type": "external_select",
        "min_query_length": 0,
        "placeholder": placeholder,
        **initial,
    }


def _quiet_inputs(builder: ModalBuilder) -> list[blocks.Block]:
    quiet = builder.values.quiet_hours
    zone = {"initial_option": _option(quiet.zone, quiet.zone)} if quiet else {}
    elements: dict[str, Payload] = {
        BEGINS: _time_picker(f"{quiet.begins:%H:%M}" if quiet else ""),
        ENDS: _time_picker(f"{quiet.ends:%H:%M}" if quiet else ""),
        ZONE: {"type": "external_select", "min_query_length": 0, **zone},
        ALLOW_FAILURES: _checkbox(
            "Tell failures at once", ticked=bool(quiet and quiet.allow_failures)
        ),
    }
    return [
        builder.input(name, element, of="quiet_hours", optional=True)
        for name, element in elements.items()
    ]


def _time_picker(initial: str) -> Payload:
    return {"type": "timepicker", **({"initial_time": initial} if initial else {})}


def _other_inputs(builder: ModalBuilder) -> list[blocks.Block]:
    filled = builder.values
    elements: dict[str, Payload] = {
        "posts_per_hour": _number_input(filled.posts_per_hour),
        "board": _checkbox("Share one message", ticked=filled.board),
        "reaction": _checkbox("React instead of writing", ticked=filled.reaction),
    }
    return [builder.input(name, element, optional=True) for name, element in elements.items()]


def _number_input(initial: int | None) -> Payload:
    limits = {"is_decimal_allowed": False, "min_value": "1", "max_value": "1000"}
    filled = {} if initial is None else {"initial_value": str(initial)}
    return {"type": "number_input", **limits, **filled}


def _checkbox(label: str, *, ticked: bool) -> Payload:
    option = _option(label, next(iter(YES_NO)))
    return {
        "type": "checkboxes",
        "options": [option],
        **({"initial_options": [option]} if ticked else {}),
    }


def _option(label: str, value: str) -> Payload:
    return {"text": blocks.plain(label, 75), "value": value}
