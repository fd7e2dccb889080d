"""The door: every question is stored before Slack hears "got it"."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot import answers
from bot.asks import Kind
from bot.slack.web import EVENTS_PATH

if TYPE_CHECKING:
    import io

    from tests.bot.slack.conftest import Desk, Door

pytestmark = pytest.mark.anyio


async def dispatched(app_for: Any, body: dict[str, Any]) -> int:
    """Let the app see a payload as Socket Mode brings it, and return its status."""
    app = app_for(AsyncWebClient("xoxb-1", base_url="http://127.0.0.1:1/"), None)
    answer = await app.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode"))
    return int(answer.status)


def click(**fields: Any) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "team": {"id": "T0PLAYGRND"},
        "user": {"id": "U0ADA"},
        "trigger_id": "9",
        "container": {"type": "message", "message_ts": "1.2", "channel_id": "C1"},
        "actions": [{"action_id": "refresh", "type": "button", "value": "deploys:JOB1"}],
        "response_url": "http://127.0.0.1:1/respond/1",
        **fields,
    }


async def test_a_command_is_stored_and_acknowledged(door: Door) -> None:
    """Slack hears "got it" with nothing to show: the answer comes later."""
    answer = await door.slack.says("/job deploys:JOB1")
    assert (answer.ok, answer.payload) == (True, None)
    ask = door.desk.taken[f"command:{answer.trigger_id}"]
    assert (ask.kind, ask.text) == (Kind.COMMAND, "deploys:JOB1")


async def test_a_mention_and_a_direct_message_are_stored(door: Door) -> None:
    """Both ways of speaking to the bot."""
    assert (await door.slack.says("@jobthread deploys:JOB1")).ok
    assert (await door.slack.says("deploys:JOB1", channel="im")).ok
    assert [ask.kind for ask in door.desk.taken.values()] == [Kind.MENTION, Kind.DIRECT]


async def test_an_event_that_slack_repeats_is_one_question(door: Door) -> None:
    """Delivered twice, and once more as a retry, it has one key."""
    door.slack.faults.deliver_twice()
    door.slack.faults.retry_event()
    await door.slack.says("@jobthread deploys:JOB1")
    await door.slack.until(lambda: len(door.slack.envelopes) == 3)
    assert len(door.desk.taken) == 1


async def test_a_click_is_stored(app_for: Any, desk: Desk) -> None:
    """What was clicked, and on which message."""
    assert await dispatched(app_for, click()) == 200
    assert desk.taken["click:9"].action == "refresh"


async def test_what_asks_nothing_is_acknowledged_and_not_stored(door: Door, app_for: Any) -> None:
    """The bot's own words, and clicks that are not for it."""
    draft = door.slack.workspace.bot_draft(door.slack.workspace.direct("U0ADA").id, text="hi")
    door.slack.workspace.post(draft)
    await door.slack.until(lambda: door.slack.envelopes)
    assert await dispatched(app_for, click(container={"type": "view"})) == 200
    assert not door.desk.taken


async def test_slacks_question_whether_the_address_is_right_is_answered(door: Door) -> None:
    """Bolt sees to what is not for us."""
    assert await door.slack.verify_url()


async def test_an_event_that_cannot_be_stored_is_sent_again_by_slack(door: Door) -> None:
    """A full store loses no question: the second try finds room."""
    door.desk.refuses = 2
    answer = await door.slack.says("@jobthread deploys:JOB1")
    assert answer.error == "dispatch_failed"
    await door.slack.until(lambda: door.desk.taken)
    assert [envelope.retry_attempt for envelope in door.slack.envelopes] == [0, 1, 2]


async def test_whoever_typed_a_command_that_cannot_be_stored_reads_so_at_once(door: Door) -> None:
    """Slack does not repeat commands, so the acknowledgement itself says it."""
    door.desk.refuses = 1
    answer = await door.slack.says("/job deploys:JOB1")
    assert answer.ok
    assert answer.message
    assert answer.message.text == answers.busy().text
    assert answer.message.ephemeral_for == door.slack.workspace.user("ada").id


async def test_a_click_that_cannot_be_stored_is_not_acknowledged(app_for: Any, desk: Desk) -> None:
    """Slack shows a warning beside the button; it would show no text of ours."""
    desk.refuses = 1
    assert await dispatched(app_for, click()) == 503


async def test_why_a_question_could_not_be_stored_is_in_the_log(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever runs the bot reads it there; the asker does not."""
    door.desk.refuses = 1
    with caplog.at_level(logging.ERROR):
        answer = await door.slack.says("/job deploys:JOB1")
    assert "The disk under the database is full." in caplog.text
    assert "disk" not in str(answer.payload)


@pytest.mark.usefixtures("log_output")
async def test_a_wrong_signature_is_refused_and_the_log_has_no_word_of_the_body(
    hanging_door: Any, desk: Desk, log_output: io.StringIO
) -> None:
    """Bolt would log the whole of it: tokens, texts and response_urls."""
    async with hanging_door("another-secret") as door:
        answer = await door.slack.says("/job deploys:JOB1")
    assert answer.error == "dispatch_failed"
    assert not desk.taken
    assert "deploys:JOB1" not in log_output.getvalue()
    assert "token" not in log_output.getvalue()


@pytest.mark.parametrize("headers", [{}, {"X-Slack-Signature": "v0=00"}])
async def test_a_request_that_is_not_signed_is_refused(headers: dict[str, str], door: Door) -> None:
    """Whoever finds the address can ask nothing."""
    body = json.dumps({"type": "event_callback", "team_id": "T1", "event": {}})
    headers = {"Content-Type": "application/json", **headers}
    async with (
        aiohttp.ClientSession() as session,
        session.post(door.url + EVENTS_PATH, data=body, headers=headers) as response,
    ):
        assert response.status == 401
    assert not door.desk.taken


async def test_the_door_asks_slack_nothing(door: Door) -> None:
    """Who the bot is was asked when it started: a question costs no call."""
    for text in ("/job deploys:JOB1", "@jobthread deploys:JOB1"):
        assert (await door.slack.says(text)).ok
    assert door.slack.calls == []
