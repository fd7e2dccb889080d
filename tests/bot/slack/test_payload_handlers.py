"""The routing table of Slack's payloads."""

from __future__ import annotations

from typing import Any

import pytest

from bot.slack.payload_handlers import PayloadHandlers

pytestmark = pytest.mark.anyio
NONE: Any = None
HANDLERS = PayloadHandlers(NONE, NONE, NONE, NONE, NONE)


@pytest.mark.parametrize(
    "body",
    [
        {"type": "shortcut", "callback_id": "translate"},
        {"type": "block_suggestion", "view": {"callback_id": "translate"}},
        {"type": "view_submission", "view": {"callback_id": "translate"}},
        {"type": "view_closed", "view": {"callback_id": "ask_job"}},
        {},
    ],
)
def test_payload_of_another_app_has_no_handler(body: dict[str, Any]) -> None:
    """Bolt answers it."""
    assert HANDLERS.find(body) is None


@pytest.mark.parametrize(
    "body",
    [
        {"type": "message_action", "callback_id": "translate"},
        {"type": "block_actions", "actions": [{}], "view": {"callback_id": "translate"}},
    ],
)
async def test_click_or_shortcut_of_another_app_is_acknowledged(body: dict[str, Any]) -> None:
    """It contains no request."""
    handler = HANDLERS.find(body)
    assert handler is not None
    assert (await handler(body)).status == 200
