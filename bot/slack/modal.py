"""The modal "Ask about a job": how it looks, and what was filled in. Pure; no I/O."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from bot.asks import Ask, Kind
from bot.cards import blocks
from bot.slack.incoming import ASK_JOB, Incoming, Payload, workspace_of

if TYPE_CHECKING:
    from datetime import datetime

# Each input's block has the name of the element in it.
JOB, CHANNEL, FOR_WHOM = "job", "channel", "for_whom"
_PEEK: Payload = {"text": blocks.plain("Only show it to me"), "value": "peek"}
_MISSING = {JOB: "Choose a job, or type its reference.", CHANNEL: "Choose where to answer."}


def is_wanted(body: Payload) -> bool:
    """Whether somebody used the shortcut that opens the modal."""
    return body.get("type") == "shortcut" and body.get("callback_id") == ASK_JOB


def is_searched(body: Payload) -> bool:
    """Whether somebody opened the modal's list of jobs, or typed into it."""
    asks = body.get("type") == "block_suggestion" and body.get("action_id") == JOB
    return asks and _is_ours(body)


def is_submitted(body: Payload) -> bool:
    """Whether somebody submitted the modal."""
    return body.get("type") == "view_submission" and _is_ours(body)


def _is_ours(body: Payload) -> bool:
    return bool((body.get("view") or {}).get("callback_id") == ASK_JOB)


def view() -> Payload:
    """Return the modal as `views.open` takes it."""
    return {
        "type": "modal",
        "callback_id": ASK_JOB,
        "title": blocks.plain("Ask about a job"),
        "submit": blocks.plain("Ask"),
        "close": blocks.plain("Cancel"),
        "blocks": [_job(), _channel(), _for_whom()],
    }


def _job() -> blocks.Block:
    select = {
        "type": "external_select",
        "min_query_length": 0,
        "placeholder": blocks.plain("Newest jobs, or type a reference"),
    }
    return _input(JOB, "Job", select)


def _channel() -> blocks.Block:
    select = {
        "type": "conversations_select",
        "default_to_current_conversation": True,
        "response_url_enabled": True,  # so that only the asker may be answered there
    }
    return _input(CHANNEL, "Where to answer", select)


def _for_whom() -> blocks.Block:
    boxes = {"type": "checkboxes", "options": [_PEEK]}
    return {**_input(FOR_WHOM, "For whom", boxes), "optional": True}


def _input(name: str, label: str, element: dict[str, Any]) -> blocks.Block:
    named = {**element, "action_id": name}
    return {"type": "input", "block_id": name, "label": blocks.plain(label), "element": named}


def missing(body: Payload) -> dict[str, str]:
    """Return a sentence for each input that a submission lacks, by its block."""
    given = {JOB: _chosen_job(body), CHANNEL: _chosen_channel(body)}
    return {name: sentence for name, sentence in _MISSING.items() if not given[name]}


def submitted(body: Payload, now: datetime) -> Incoming:
    """Return the command that a submission, which lacks nothing, stands for."""
    ask = Ask(
        kind=Kind.COMMAND,
        user=body["user"]["id"],
        channel=_chosen_channel(body),
        at=now,
        text=command_for(_chosen_job(body), peek=_peeks(body)),
        response_url=_response_url(body),
    )
    return Incoming(workspace_of(body), f"view:{body['view']['id']}", ask)


def command_for(reference: str, *, peek: bool = False) -> str:
    """Return what one would type to ask for a job, escaped as Slack escapes what is typed."""
    escaped = html.escape(reference, quote=False)
    return f"peek {escaped}" if peek else escaped


def refusal(errors: dict[str, str]) -> Payload:
    """Return the acknowledgement that keeps the modal open and says why."""
    return {"response_action": "errors", "errors": errors}


def _chosen_job(body: Payload) -> str:
    return str((_state(body, JOB).get("selected_option") or {}).get("value") or "")


def _chosen_channel(body: Payload) -> str:
    return str(_state(body, CHANNEL).get("selected_conversation") or "")


def _peeks(body: Payload) -> bool:
    ticked = _state(body, FOR_WHOM).get("selected_options") or []
    return any(option.get("value") == _PEEK["value"] for option in ticked)


def _state(body: Payload, name: str) -> Payload:
    values: Payload = (body["view"].get("state") or {}).get("values") or {}
    return (values.get(name) or {}).get(name) or {}


def _response_url(body: Payload) -> str | None:
    urls = body.get("response_urls") or []
    return str(urls[0]["response_url"]) if urls else None
