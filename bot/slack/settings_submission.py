"""Parses the settings modal's submission: values, or an error for each input. Pure; no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.commands.request import Request, RequestKind
from bot.notifications.policy_text import FIELD_TEXTS
from bot.notifications.settings_patch import SettingsPatch, problems
from bot.sdk.cards.action_ids import ActionId
from bot.slack.events import IncomingRequest
from bot.slack.payloads import workspace_id
from bot.slack.settings_modal import (
    ALLOW_FAILURES,
    BEGINS,
    ENDS,
    GROUP,
    ZONE,
    ModalContext,
)

if TYPE_CHECKING:
    from datetime import datetime

    from bot.slack.payloads import Payload

CONFLICT = (
    "Somebody changed this while you had it open. Close it and open it again to see what holds now;"
    " nothing of yours was saved."
)
_NOT_A_NUMBER = "Write a whole number from 1 to 1,000, or nothing."


def clicked_preset(body: Payload) -> str:
    """Return the preset whose button was clicked, such as "quiet", or ""."""
    kind, _, name = str(body["actions"][0].get("action_id", "")).partition(":")
    return name if kind == ActionId.PRESET else ""


def modal_context(body: Payload) -> ModalContext:
    """Return the modal's context from its private_metadata."""
    return ModalContext.model_validate_json(body["view"]["private_metadata"])


def parse_changes(body: Payload) -> dict[str, Any]:
    """Return all fields as submitted, not validated; `input_errors` reports invalid ones."""
    inputs = _input_values(body)
    chosen = {name: inputs.get(name) for name in ("follow_ups", "tasks", "broadcast", "mention")}
    return {
        **chosen,
        "group": inputs.get(GROUP) or "",
        "quiet_hours": _quiet_hours(inputs),
        "posts_per_hour": _number(inputs.get("posts_per_hour")),
        "board": bool(inputs.get("board")),
        "reaction": bool(inputs.get("reaction")),
    }


def input_errors(body: Payload) -> dict[str, str]:
    """Return a sentence for each invalid input, by block id."""
    inputs, invalid = _input_values(body), {}
    begins, ends = inputs.get(BEGINS), inputs.get(ENDS)
    if bool(begins) != bool(ends):
        invalid[ENDS if begins else BEGINS] = "Quiet hours need both ends: choose this one, too."
    elif begins and begins == ends:
        invalid[ENDS] = "Quiet hours must end at another time than they begin."
    elif begins and not inputs.get(ZONE):
        invalid[ZONE] = "Choose the time zone in which these hours are meant."
    if not invalid:
        found = problems(parse_changes(body))
        invalid = {_INPUTS.get(name, name): _ERRORS.get(name, found[name]) for name in found}
    page = modal_context(body)
    return {page.block_id(name): sentence for name, sentence in invalid.items()}


_INPUTS = {"quiet_hours": ZONE}  # the input that shows the field's error
_ERRORS = {"posts_per_hour": _NOT_A_NUMBER}


def conflict(body: Payload) -> dict[str, str]:
    """Return the error for settings that somebody else has changed meanwhile."""
    return {modal_context(body).block_id(next(iter(FIELD_TEXTS))): CONFLICT}


def save_failed(body: Payload, sentence: str) -> dict[str, str]:
    """Return a sentence that says why saving failed, as an error of the first input."""
    return {modal_context(body).block_id(next(iter(FIELD_TEXTS))): sentence}


def to_request(body: Payload, now: datetime) -> IncomingRequest:
    """Return the request for a valid submission."""
    page = modal_context(body)
    wish = SettingsPatch(changes=parse_changes(body), revision=page.revision)
    ask = Request(
        kind=RequestKind.SETTINGS_FORM,
        user=body["user"]["id"],
        channel=page.channel,
        requested_at=now,
        value=wish.model_dump_json(),
    )
    return IncomingRequest(workspace_id(body), f"view:{body['view']['id']}", ask)


def _quiet_hours(inputs: dict[str, Any]) -> dict[str, Any] | None:
    if not inputs.get(BEGINS) or not inputs.get(ENDS):
        return None
    return {
        "begins": inputs[BEGINS],
        "ends": inputs[ENDS],
        "zone": inputs.get(ZONE) or "UTC",
        ALLOW_FAILURES: bool(inputs.get(ALLOW_FAILURES)),
    }


def _number(text: str | None) -> int | str | None:
    """Return the number; other text unchanged, so that validation reports it."""
    text = (text or "").strip()
    if not text:
        return None
    return int(text) if text.isdecimal() and len(text) <= 4 else text


def _input_values(body: Payload) -> dict[str, Any]:
    """Return the value of each input, by action_id."""
    values: Payload = (body["view"].get("state") or {}).get("values") or {}
    return {name: _value(state) for block in values.values() for name, state in block.items()}


def _value(state: Payload) -> Any:
    match state.get("type"):
        case "static_select" | "external_select":
            return (state.get("selected_option") or {}).get("value")
        case "timepicker":
            return state.get("selected_time")
        case "checkboxes":
            return [option["value"] for option in state.get("selected_options") or ()]
    return state.get("value")
