"""Parses Slack payloads into requests; payloads as in docs.slack.dev. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.commands.request import Request, RequestKind
from bot.slack.payloads import Payload, PayloadKind, payload_kind, workspace_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

COMMANDS = ("/job",)  # in the manifest; the settings may override it
EVENTS = ("app_mention", "message.im")
SHORTCUTS = ("follow_jobs",)  # on a message
ASK_JOB = "ask_job"
GLOBAL_SHORTCUTS = (ASK_JOB,)  # global; opens the modal


@dataclass(frozen=True)
class IncomingRequest:
    """A request, its workspace, and its idempotency key.

    Slack retries deliveries, and sends a mention twice (as `app_mention` and as `message`);
    duplicates have the same key.
    """

    workspace: str
    idempotency_key: str
    request: Request


def parse_payload(body: Payload, now: datetime) -> IncomingRequest | None:
    """Return the request in a payload, or None if it contains none."""
    kind = payload_kind(body)
    parse = _PARSERS.get(kind) if kind else None
    return parse(body, now) if parse else None


def _command(body: Payload, now: datetime) -> IncomingRequest:
    ask = Request(
        kind=RequestKind.COMMAND,
        user=body["user_id"],
        channel=body["channel_id"],
        requested_at=now,
        text=body.get("text") or "",
        response_url=body.get("response_url"),
    )
    return IncomingRequest(body["team_id"], f"command:{body['trigger_id']}", ask)


def _event(body: Payload, now: datetime) -> IncomingRequest | None:
    event = body["event"]
    kind = _message_kind(event)
    if kind is None:
        return None
    ask = Request(
        kind=kind,
        user=event["user"],
        channel=event["channel"],
        requested_at=now,
        text=event.get("text") or "",
        thread_ts=event.get("thread_ts"),
        request_ts=event["ts"],
    )
    return IncomingRequest(body["team_id"], f"message:{event['channel']}:{event['ts']}", ask)


def _message_kind(event: Payload) -> RequestKind | None:
    """Return MENTION or DIRECT; None for edits, deletions and messages of bots."""
    if event.get("subtype") not in (None, "file_share", "thread_broadcast"):
        return None
    if event.get("bot_id") or not event.get("user"):
        return None
    if event["type"] == "app_mention":
        return RequestKind.MENTION
    is_direct = event["type"] == "message" and event.get("channel_type") == "im"
    return RequestKind.DIRECT if is_direct else None


def _click(body: Payload, now: datetime) -> IncomingRequest | None:
    container, action = body.get("container", {}), body["actions"][0]
    if container.get("type") != "message":
        return None
    message_ts = container["message_ts"]
    thread_ts = container.get("thread_ts") or body.get("message", {}).get("thread_ts")
    ask = Request(
        kind=RequestKind.CLICK,
        user=body["user"]["id"],
        channel=container["channel_id"],
        requested_at=now,
        thread_ts=thread_ts if thread_ts != message_ts else None,
        response_url=body.get("response_url"),
        action_id=action["action_id"],
        value=_value(action),
        message_ts=message_ts,
        ephemeral=bool(container.get("is_ephemeral")),
    )
    return IncomingRequest(workspace_id(body), f"click:{body['trigger_id']}", ask)


def _value(action: Payload) -> str:
    """Return the value of a button, or of the selected option of a menu."""
    return action.get("value") or (action.get("selected_option") or {}).get("value") or ""


def _shortcut(body: Payload, now: datetime) -> IncomingRequest | None:
    if body.get("callback_id") not in SHORTCUTS:
        return None
    message = body["message"]
    ask = Request(
        kind=RequestKind.SHORTCUT,
        user=body["user"]["id"],
        channel=body["channel"]["id"],
        requested_at=now,
        text=message.get("text") or "",
        thread_ts=message.get("thread_ts") or message["ts"],
        response_url=body.get("response_url"),
    )
    return IncomingRequest(workspace_id(body), f"shortcut:{body['trigger_id']}", ask)


_PARSERS: Mapping[PayloadKind, Callable[[Payload, datetime], IncomingRequest | None]] = {
    PayloadKind.COMMAND: _command,
    PayloadKind.EVENT: _event,
    PayloadKind.MESSAGE_CLICK: _click,
    PayloadKind.MESSAGE_SHORTCUT: _shortcut,
}
