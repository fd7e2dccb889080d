"""Settings modal when the store or Slack fails."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.commands import replies
from bot.commands.request import RequestKind
from bot.notifications.effective_settings import ChannelSettings
from bot.notifications.policy import NotificationPolicy
from bot.slack.settings_modal import ModalContext, view
from localslack.blockkit.form_state import initial_values

if TYPE_CHECKING:
    from slack_bolt.response import BoltResponse

    from tests.bot.slack.conftest import FakeInboxWorker, HttpHarness

pytestmark = pytest.mark.anyio


async def dispatched(app_for: Any, body: dict[str, Any]) -> BoltResponse:
    """Dispatch a payload to an app with a closed store and an unreachable Slack."""
    app = app_for(AsyncWebClient("xoxb-1", base_url="http://127.0.0.1:1/"), None)
    answer: BoltResponse = await app.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode"))
    return answer


def of_modal(kind: str, **fields: Any) -> dict[str, Any]:
    shown = view(ModalContext(channel="C1", revision=0), ChannelSettings(), NotificationPolicy())
    opened = {**shown, "id": "V1", "state": {"values": initial_values(shown["blocks"])}}
    return {
        "type": kind,
        "team": {"id": "T0PLAYGRND"},
        "user": {"id": "U0ADA"},
        "trigger_id": "9",
        "view": opened,
        **fields,
    }


async def test_command_is_enqueued_if_the_modal_cannot_open(harness: HttpHarness) -> None:
    """The bot then replies with text."""
    assert (await harness.slack.says("/job settings")).ok
    (ask,) = harness.inbox.enqueued.values()
    assert (ask.kind, ask.text) == (RequestKind.COMMAND, "settings")


async def test_click_on_change_is_enqueued_if_the_modal_cannot_open(
    app_for: Any, inbox: FakeInboxWorker
) -> None:
    """The bot then replies with text."""
    click = {
        "type": "block_actions",
        "team": {"id": "T0PLAYGRND"},
        "user": {"id": "U0ADA"},
        "trigger_id": "9",
        "container": {"type": "message", "message_ts": "1.2", "channel_id": "C1"},
        "actions": [{"action_id": "settings_change", "type": "button", "value": "settings"}],
    }
    assert (await dispatched(app_for, click)).status == 200
    assert inbox.enqueued["click:9"].action_id == "settings_change"


async def test_preset_that_cannot_be_applied_is_not_acknowledged(app_for: Any) -> None:
    """Slack shows a warning beside the button."""
    pressed = of_modal("block_actions", actions=[{"action_id": "preset:quiet"}])
    assert (await dispatched(app_for, pressed)).status == 503


async def test_settings_that_cannot_be_saved_keep_the_modal_open(
    app_for: Any, inbox: FakeInboxWorker
) -> None:
    """With an error, and nothing is enqueued."""
    answer = await dispatched(app_for, of_modal("view_submission"))
    errors = {"follow_ups.0": replies.busy().text}
    assert json.loads(answer.body) == {"response_action": "errors", "errors": errors}
    assert not inbox.enqueued


@pytest.mark.parametrize(("list_", "first"), [("zone", "UTC"), ("group", "S0ONCALL")])
async def test_options_work_if_slack_does_not_respond(app_for: Any, list_: str, first: str) -> None:
    """Without the asker's own time zone and the groups' names."""
    typed = "" if list_ == "zone" else "S0ONCALL"
    answer = await dispatched(app_for, of_modal("block_suggestion", action_id=list_, value=typed))
    assert answer.status == 200
    assert f'"value": "{first}"' in answer.body
