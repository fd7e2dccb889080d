"""Bolt app: each request is persisted before it is acknowledged."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.commands import replies
from bot.commands.request import RequestKind
from bot.slack.http_server import EVENTS_PATH

if TYPE_CHECKING:
    import io

    from tests.bot.slack.conftest import FakeInboxWorker, HttpHarness

pytestmark = pytest.mark.anyio


async def dispatched(app_for: Any, body: dict[str, Any]) -> int:
    """Dispatch a payload as Socket Mode does, and return the status."""
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


async def test_command_is_persisted_and_acknowledged(harness: HttpHarness) -> None:
    """The acknowledgement is empty: the reply comes later."""
    answer = await harness.slack.says("/job deploys:JOB1")
    assert (answer.ok, answer.payload) == (True, None)
    ask = harness.inbox.enqueued[f"command:{answer.trigger_id}"]
    assert (ask.kind, ask.text) == (RequestKind.COMMAND, "deploys:JOB1")


async def test_mention_and_direct_message_are_persisted(harness: HttpHarness) -> None:
    """Both are requests."""
    assert (await harness.slack.says("@jobthread deploys:JOB1")).ok
    assert (await harness.slack.says("deploys:JOB1", channel="im")).ok
    assert [ask.kind for ask in harness.inbox.enqueued.values()] == [
        RequestKind.MENTION,
        RequestKind.DIRECT,
    ]


async def test_duplicate_event_is_one_request(harness: HttpHarness) -> None:
    """A duplicate and a retry have the same idempotency key."""
    harness.slack.faults.deliver_twice()
    harness.slack.faults.retry_event()
    await harness.slack.says("@jobthread deploys:JOB1")
    await harness.slack.until(lambda: len(harness.slack.envelopes) == 3)
    assert len(harness.inbox.enqueued) == 1


async def test_button_click_is_persisted(app_for: Any, inbox: FakeInboxWorker) -> None:
    """With its action id, under the trigger id."""
    assert await dispatched(app_for, click()) == 200
    assert inbox.enqueued["click:9"].action_id == "refresh"


async def test_payload_without_a_request_is_only_acknowledged(
    harness: HttpHarness, app_for: Any
) -> None:
    """The bot's own messages, and clicks in a modal."""
    draft = harness.slack.workspace.bot_draft(
        harness.slack.workspace.direct_channel("U0ADA").id, text="hi"
    )
    harness.slack.workspace.post(draft)
    await harness.slack.until(lambda: harness.slack.envelopes)
    assert await dispatched(app_for, click(container={"type": "view"})) == 200
    assert not harness.inbox.enqueued


async def test_url_verification_is_answered(harness: HttpHarness) -> None:
    """Bolt handles payloads that the bot does not."""
    assert await harness.slack.verify_url()


async def test_event_that_cannot_be_persisted_is_retried_by_slack(harness: HttpHarness) -> None:
    """A full disk loses no request: a later retry succeeds."""
    harness.inbox.failures_left = 2
    answer = await harness.slack.says("@jobthread deploys:JOB1")
    assert answer.error == "dispatch_failed"
    await harness.slack.until(lambda: harness.inbox.enqueued)
    assert [envelope.retry_attempt for envelope in harness.slack.envelopes] == [0, 1, 2]


async def test_command_that_cannot_be_persisted_gets_an_error_reply(harness: HttpHarness) -> None:
    """Slack does not retry commands, so the acknowledgement contains the error."""
    harness.inbox.failures_left = 1
    answer = await harness.slack.says("/job deploys:JOB1")
    assert answer.ok
    assert answer.message
    assert answer.message.text == replies.busy().text
    assert answer.message.ephemeral_for == harness.slack.workspace.user("ada").id


async def test_click_that_cannot_be_persisted_is_not_acknowledged(
    app_for: Any, inbox: FakeInboxWorker
) -> None:
    """Slack shows a warning beside the button; it would not show our text."""
    inbox.failures_left = 1
    assert await dispatched(app_for, click()) == 503


async def test_reason_for_a_failed_write_is_only_in_the_log(
    harness: HttpHarness, caplog: pytest.LogCaptureFixture
) -> None:
    """The operator reads it; the asker does not."""
    harness.inbox.failures_left = 1
    with caplog.at_level(logging.ERROR):
        answer = await harness.slack.says("/job deploys:JOB1")
    assert "The disk under the database is full." in caplog.text
    assert "disk" not in str(answer.payload)


@pytest.mark.usefixtures("log_output")
async def test_wrong_signature_is_rejected_and_the_body_not_logged(
    harness_for: Any, inbox: FakeInboxWorker, log_output: io.StringIO
) -> None:
    """Bolt would log tokens, texts and response_urls."""
    async with harness_for("another-secret") as harness:
        answer = await harness.slack.says("/job deploys:JOB1")
    assert answer.error == "dispatch_failed"
    assert not inbox.enqueued
    assert "deploys:JOB1" not in log_output.getvalue()
    assert "token" not in log_output.getvalue()


@pytest.mark.parametrize("headers", [{}, {"X-Slack-Signature": "v0=00"}])
async def test_unsigned_http_request_is_rejected(
    headers: dict[str, str], harness: HttpHarness
) -> None:
    """The URL alone gives no access."""
    body = json.dumps({"type": "event_callback", "team_id": "T1", "event": {}})
    headers = {"Content-Type": "application/json", **headers}
    async with (
        aiohttp.ClientSession() as session,
        session.post(harness.url + EVENTS_PATH, data=body, headers=headers) as response,
    ):
        assert response.status == 401
    assert not harness.inbox.enqueued


async def test_enqueueing_a_request_makes_no_call_to_slack(harness: HttpHarness) -> None:
    """The identity of the bot was loaded at start-up."""
    for text in ("/job deploys:JOB1", "@jobthread deploys:JOB1"):
        assert (await harness.slack.says(text)).ok
    assert harness.slack.calls == []
