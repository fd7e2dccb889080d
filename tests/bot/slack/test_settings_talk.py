"""The talk about a contract's modal when something is out of order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot import answers
from bot.asks import Kind
from bot.noise.contracts import Contract
from bot.noise.policy import NoisePolicy
from bot.playground.entries import beginnings
from bot.slack.settings_modal import Page, view
from bot.slack.settings_talk import is_wanted

if TYPE_CHECKING:
    from slack_bolt.response import BoltResponse

    from tests.bot.slack.conftest import Desk, Door

pytestmark = pytest.mark.anyio


async def dispatched(app_for: Any, body: dict[str, Any]) -> BoltResponse:
    """Let the app, whose store is closed and whose Slack is away, see a payload."""
    app = app_for(AsyncWebClient("xoxb-1", base_url="http://127.0.0.1:1/"), None)
    answer: BoltResponse = await app.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode"))
    return answer


def of_modal(kind: str, **fields: Any) -> dict[str, Any]:
    shown = view(Page(channel="C1", revision=0), Contract(), NoisePolicy())
    opened = {**shown, "id": "V1", "state": {"values": beginnings(shown["blocks"])}}
    return {
        "type": kind,
        "team": {"id": "T0PLAYGRND"},
        "user": {"id": "U0ADA"},
        "trigger_id": "9",
        "view": opened,
        **fields,
    }


@pytest.mark.parametrize("text", ["settings", " Settings ", "settings please"])
def test_a_command_for_the_settings_wants_the_modal(text: str) -> None:
    """However it is written."""
    assert is_wanted({"command": "/job", "text": text})


@pytest.mark.parametrize("text", ["", "setings", "deploys:JOB1 settings", "quiet"])
def test_other_commands_want_no_modal(text: str) -> None:
    """They are questions."""
    assert not is_wanted({"command": "/job", "text": text})


async def test_a_modal_that_cannot_be_opened_leaves_a_question(door: Door) -> None:
    """Which is answered in words: nobody types in vain."""
    assert (await door.slack.says("/job settings")).ok
    (ask,) = door.desk.taken.values()
    assert (ask.kind, ask.text) == (Kind.COMMAND, "settings")


async def test_a_click_on_change_whose_modal_does_not_open_leaves_a_question(
    app_for: Any, desk: Desk
) -> None:
    """The same, from a button."""
    click = {
        "type": "block_actions",
        "team": {"id": "T0PLAYGRND"},
        "user": {"id": "U0ADA"},
        "trigger_id": "9",
        "container": {"type": "message", "message_ts": "1.2", "channel_id": "C1"},
        "actions": [{"action_id": "contract_change", "type": "button", "value": "settings"}],
    }
    assert (await dispatched(app_for, click)).status == 200
    assert desk.taken["click:9"].action == "contract_change"


async def test_a_preset_that_cannot_be_filled_in_is_not_acknowledged(app_for: Any) -> None:
    """Slack shows a warning beside the button."""
    pressed = of_modal("block_actions", actions=[{"action_id": "refill:quiet"}])
    assert (await dispatched(app_for, pressed)).status == 503


async def test_what_cannot_be_saved_stays_in_the_open_modal(app_for: Any, desk: Desk) -> None:
    """With a sentence, and nothing is taken in."""
    answer = await dispatched(app_for, of_modal("view_submission"))
    errors = {"follow_ups.0": answers.busy().text}
    assert json.loads(answer.body) == {"response_action": "errors", "errors": errors}
    assert not desk.taken


@pytest.mark.parametrize(("list_", "first"), [("zone", "UTC"), ("group", "S0ONCALL")])
async def test_the_lists_work_where_slack_does_not_answer(
    app_for: Any, list_: str, first: str
) -> None:
    """Without the asker's own zone, without the groups' names."""
    typed = "" if list_ == "zone" else "S0ONCALL"
    answer = await dispatched(app_for, of_modal("block_suggestion", action_id=list_, value=typed))
    assert answer.status == 200
    assert f'"value": "{first}"' in answer.body
