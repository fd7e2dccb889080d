"""Kinds and routes of Slack's payloads."""

from __future__ import annotations

from typing import Any

import pytest

from bot.slack.payloads import PayloadKind, Route, route_of

VIEW = {"callback_id": "settings"}


def click(action_id: str, **fields: Any) -> dict[str, Any]:
    return {"type": "block_actions", "actions": [{"action_id": action_id}], **fields}


@pytest.mark.parametrize(
    ("body", "route"),
    [
        ({"type": "event_callback", "event": {}}, Route(PayloadKind.EVENT)),
        (
            {"type": "shortcut", "callback_id": "ask_job"},
            Route(PayloadKind.SHORTCUT, "ask_job"),
        ),
        (
            {"type": "message_action", "callback_id": "follow_jobs"},
            Route(PayloadKind.MESSAGE_SHORTCUT, "follow_jobs"),
        ),
        (click("refresh"), Route(PayloadKind.MESSAGE_CLICK, "refresh")),
        (click("run:3"), Route(PayloadKind.MESSAGE_CLICK, "run")),
        (click("unknown"), Route(PayloadKind.MESSAGE_CLICK)),
        (click("preset:quiet", view=VIEW), Route(PayloadKind.MODAL_CLICK, "settings")),
        (
            {"type": "block_suggestion", "view": VIEW},
            Route(PayloadKind.MODAL_OPTIONS, "settings"),
        ),
        ({"type": "block_suggestion", "view": None}, Route(PayloadKind.MODAL_OPTIONS)),
        (
            {"type": "view_submission", "view": VIEW},
            Route(PayloadKind.MODAL_SUBMISSION, "settings"),
        ),
    ],
)
def test_payload_has_a_kind_and_an_id(body: dict[str, Any], route: Route) -> None:
    """The id is a callback id, or the action id of a click in a message."""
    assert route_of(body) == route


@pytest.mark.parametrize("body", [{}, {"type": "view_closed"}, {"type": "workflow_step_edit"}])
def test_unused_payload_has_no_route(body: dict[str, Any]) -> None:
    """Bolt answers it."""
    assert route_of(body) is None


@pytest.mark.parametrize("text", ["settings", " Settings ", "settings please"])
def test_settings_command_is_found_in_any_spelling(text: str) -> None:
    """As the parser accepts it."""
    body = {"command": "/job", "text": text}
    assert route_of(body) == Route(PayloadKind.COMMAND, "settings")


@pytest.mark.parametrize("text", ["", "setings", "deploys:JOB1 settings", "quiet"])
def test_other_commands_are_not_the_settings(text: str) -> None:
    """They are enqueued."""
    route = route_of({"command": "/job", "text": text})
    assert route is not None
    assert route.id != "settings"
