"""Kinds of Slack payloads, and the key by which a payload is routed. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

from bot.commands.parser import parse_command
from bot.sdk.cards.action_ids import ActionId

Payload = dict[str, Any]


class PayloadKind(StrEnum):
    """What a payload is about."""

    COMMAND = "command"
    EVENT = "event"
    SHORTCUT = "shortcut"
    MESSAGE_SHORTCUT = "message shortcut"
    MESSAGE_CLICK = "click in a message"
    MODAL_CLICK = "click in a modal"
    MODAL_OPTIONS = "options of a select in a modal"
    MODAL_SUBMISSION = "submission of a modal"


class Route(NamedTuple):
    """The key of a routing table: a kind, and an id within it.

    The id is a command's verb, the callback id of a shortcut or modal, or the action id of a click
    in a message. A route without an id serves every other payload of its kind.
    """

    kind: PayloadKind
    id: str = ""


# https://docs.slack.dev/reference/interaction-payloads
_KINDS = {
    "event_callback": PayloadKind.EVENT,
    "shortcut": PayloadKind.SHORTCUT,
    "message_action": PayloadKind.MESSAGE_SHORTCUT,
    "block_actions": PayloadKind.MESSAGE_CLICK,
    "block_suggestion": PayloadKind.MODAL_OPTIONS,
    "view_submission": PayloadKind.MODAL_SUBMISSION,
}


def payload_kind(body: Payload) -> PayloadKind | None:
    """Return the kind of a payload; None for one that the bot does not use."""
    if "command" in body:
        return PayloadKind.COMMAND
    kind = _KINDS.get(body.get("type", ""))
    if kind is PayloadKind.MESSAGE_CLICK and body.get("view"):
        return PayloadKind.MODAL_CLICK
    return kind


def route_of(body: Payload) -> Route | None:
    """Return the route of a payload; None for one that the bot does not use."""
    match kind := payload_kind(body):
        case None:
            return None
        case PayloadKind.COMMAND:
            return Route(kind, parse_command(body.get("text") or "").verb)
        case PayloadKind.EVENT:
            return Route(kind)
        case PayloadKind.MESSAGE_CLICK:
            return Route(kind, ActionId.of(str(body["actions"][0].get("action_id", ""))) or "")
        case PayloadKind.SHORTCUT | PayloadKind.MESSAGE_SHORTCUT:
            return Route(kind, str(body.get("callback_id", "")))
    return Route(kind, str((body.get("view") or {}).get("callback_id", "")))


def workspace_id(body: Payload) -> str:
    """Return the workspace id of an interaction."""
    team = body.get("team") or body["user"].get("team_id") or {}
    return str(team["id"] if isinstance(team, dict) else team)
