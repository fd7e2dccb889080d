"""The modal "Ask about a job": renders it and parses its submission. Pure; no I/O."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from bot.commands.request import Request, RequestKind
from bot.sdk.cards import blocks
from bot.slack.events import ASK_JOB, IncomingRequest
from bot.slack.payloads import Payload, workspace_id

if TYPE_CHECKING:
    from datetime import datetime

# Names of the inputs: both block_id and action_id.
JOB, CHANNEL, VISIBILITY = "job", "channel", "for_whom"
_PEEK: Payload = {"text": blocks.plain("Only show it to me"), "value": "peek"}
_MISSING = {JOB: "Choose a job, or type its reference.", CHANNEL: "Choose where to answer."}


def view() -> Payload:
    """Return the modal as `views.open` takes it."""
    return {
        "type": "modal",
        "callback_id": ASK_JOB,
        "title": blocks.plain("Ask about a job"),
        "submit": blocks.plain("Ask"),
        "close": blocks.plain("Cancel"),
        "blocks": [_job_input(), _channel_input(), _visibility_input()],
    }


def _job_input() -> blocks.Block:
    select = {
        "type": "external_select",
        "min_query_length": 0,
        "placeholder": blocks.plain("Newest jobs, or type a reference"),
    }
    return _input(JOB, "Job", select)


def _channel_input() -> blocks.Block:
    select = {
        "type": "conversations_select",
        "default_to_current_conversation": True,
        "response_url_enabled": True,  # allows an ephemeral reply there
    }
    return _input(CHANNEL, "Where to answer", select)


def _visibility_input() -> blocks.Block:
    boxes = {"type": "checkboxes", "options": [_PEEK]}
    return {**_input(VISIBILITY, "For whom", boxes), "optional": True}


def _input(name: str, label: str, element: dict[str, Any]) -> blocks.Block:
    named_element = {**element, "action_id": name}
    return {
        "type": "input",
        "block_id": name,
        "label": blocks.plain(label),
        "element": named_element,
    }


def missing_inputs(body: Payload) -> dict[str, str]:
    """Return a sentence for each required input that is empty, by block_id."""
    values = {JOB: _selected_job(body), CHANNEL: _selected_channel(body)}
    return {name: sentence for name, sentence in _MISSING.items() if not values[name]}


def to_request(body: Payload, now: datetime) -> IncomingRequest:
    """Return the request for a complete submission: a command."""
    ask = Request(
        kind=RequestKind.COMMAND,
        user=body["user"]["id"],
        channel=_selected_channel(body),
        requested_at=now,
        text=command_for(_selected_job(body), peek=_is_peek(body)),
        response_url=_response_url(body),
    )
    return IncomingRequest(workspace_id(body), f"view:{body['view']['id']}", ask)


def command_for(reference: str, *, peek: bool = False) -> str:
    """Return the command text for a job, escaped as Slack escapes typed text."""
    escaped = html.escape(reference, quote=False)
    return f"peek {escaped}" if peek else escaped


def errors_response(errors: dict[str, str]) -> Payload:
    """Return the acknowledgement that keeps the modal open and shows the errors."""
    return {"response_action": "errors", "errors": errors}


def _selected_job(body: Payload) -> str:
    return str((_state(body, JOB).get("selected_option") or {}).get("value") or "")


def _selected_channel(body: Payload) -> str:
    return str(_state(body, CHANNEL).get("selected_conversation") or "")


def _is_peek(body: Payload) -> bool:
    selected = _state(body, VISIBILITY).get("selected_options") or []
    return any(option.get("value") == _PEEK["value"] for option in selected)


def _state(body: Payload, name: str) -> Payload:
    values: Payload = (body["view"].get("state") or {}).get("values") or {}
    return (values.get(name) or {}).get(name) or {}


def _response_url(body: Payload) -> str | None:
    urls = body.get("response_urls") or []
    return str(urls[0]["response_url"]) if urls else None
