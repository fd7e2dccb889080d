"""Parses the settings modal's submission: values, or an error for each input. Pure; no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.commands.request import Ask, Kind
from bot.notifications.policy_text import CLAUSES
from bot.notifications.settings_patch import Wish, problems
from bot.slack.events import Incoming, workspace_of
from bot.slack.settings_modal import BEGINS, CONTRACT, ENDS, GROUP, PASSING, REFILL, ZONE, Page

if TYPE_CHECKING:
    from datetime import datetime

    from bot.slack.events import Payload

OVERTAKEN = (
    "Somebody changed this while you had it open. Close it and open it again to see what holds now;"
    " nothing of yours was saved."
)
_NOT_A_NUMBER = "Write a whole number from 1 to 1,000, or nothing."


def is_submitted(body: Payload) -> bool:
    """Whether the payload is a submission of the settings modal."""
    return body.get("type") == "view_submission" and _is_settings_modal(body)


def is_searched(body: Payload) -> bool:
    """Whether the payload asks for the options of a select in the settings modal."""
    return body.get("type") == "block_suggestion" and _is_settings_modal(body)


def refilling(body: Payload) -> str:
    """Return the preset whose button was pressed, such as "quiet", or ""."""
    if body.get("type") != "block_actions" or not _is_settings_modal(body):
        return ""
    kind, _, name = str(body["actions"][0].get("action_id", "")).partition(":")
    return name if kind == REFILL else ""


def _is_settings_modal(body: Payload) -> bool:
    return bool((body.get("view") or {}).get("callback_id") == CONTRACT)


def page_of(body: Payload) -> Page:
    """Return the modal's context from its private_metadata."""
    return Page.model_validate_json(body["view"]["private_metadata"])


def changes(body: Payload) -> dict[str, Any]:
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


def errors(body: Payload) -> dict[str, str]:
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
        found = problems(changes(body))
        invalid = {_INPUTS.get(name, name): _ERRORS.get(name, found[name]) for name in found}
    page = page_of(body)
    return {page.block(name): sentence for name, sentence in invalid.items()}


_INPUTS = {"quiet_hours": ZONE}  # the input that shows the field's error
_ERRORS = {"posts_per_hour": _NOT_A_NUMBER}


def overtaken(body: Payload) -> dict[str, str]:
    """Return the error for settings that somebody else has changed meanwhile."""
    return {page_of(body).block(next(iter(CLAUSES))): OVERTAKEN}


def busy(body: Payload, sentence: str) -> dict[str, str]:
    """Return a sentence that says why saving failed, as an error of the first input."""
    return {page_of(body).block(next(iter(CLAUSES))): sentence}


def submitted(body: Payload, now: datetime) -> Incoming:
    """Return the request for a valid submission."""
    page = page_of(body)
    wish = Wish(changes=changes(body), revision=page.revision)
    ask = Ask(
        kind=Kind.FORM,
        user=body["user"]["id"],
        channel=page.channel,
        at=now,
        value=wish.model_dump_json(),
    )
    return Incoming(workspace_of(body), f"view:{body['view']['id']}", ask)


def _quiet_hours(inputs: dict[str, Any]) -> dict[str, Any] | None:
    if not inputs.get(BEGINS) or not inputs.get(ENDS):
        return None
    return {
        "begins": inputs[BEGINS],
        "ends": inputs[ENDS],
        "zone": inputs.get(ZONE) or "UTC",
        PASSING: bool(inputs.get(PASSING)),
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
