"""Events that the app subscribed to."""

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack

pytestmark = pytest.mark.anyio


def events(app: Any) -> list[dict]:
    return [request.payload["event"] for request in app.got if request.type == "events_api"]


async def test_mention_arrives_with_slack_markup(slack: LocalSlack, app: Any) -> None:
    """Mentions, links and special characters have Slack's form."""
    await slack.says("@jobthread see https://x.test/j/1, @ben & <you>", channel="general")
    [event] = events(app)
    assert event["type"] == "app_mention"
    assert event["channel"] == "C0GENERAL"
    assert event["text"] == ("<@U0JOBTHREAD> see <https://x.test/j/1>, <@U0BEN> &amp; &lt;you&gt;")


async def test_mention_has_the_ts_of_its_message(slack: LocalSlack, app: Any) -> None:
    """The event's ts is that of the user's message."""
    message = (await slack.says("@jobthread J1")).message
    [event] = events(app)
    assert message is not None
    assert (event["ts"], event["event_ts"], event["user"]) == (message.ts, message.ts, "U0ADA")


async def test_event_has_slacks_outer_fields(slack: LocalSlack, app: Any) -> None:
    """The payload around the event has the documented fields."""
    await slack.says("@jobthread J1")
    payload = app.got[0].payload
    assert payload["type"] == "event_callback"
    assert payload["authorizations"][0]["user_id"] == "U0JOBTHREAD"
    assert payload["event_id"].startswith("Ev")
    assert isinstance(payload["event_time"], int)


async def test_direct_message_causes_no_app_mention(slack: LocalSlack, app: Any) -> None:
    """A mention in a direct message causes a `message` event only."""
    await slack.says("@jobthread J1", channel="im")
    [event] = events(app)
    assert (event["type"], event["channel_type"]) == ("message", "im")


async def test_message_without_a_mention_is_not_sent(slack: LocalSlack, app: Any) -> None:
    """The app gets only the events that it subscribed to."""
    await slack.says("good morning")
    assert app.got == []


async def test_mention_outside_the_bots_channels_is_not_sent(slack: LocalSlack, app: Any) -> None:
    """The app gets no events of channels that the bot is not in."""
    await slack.says("@jobthread J1", channel="private-ops")
    assert app.got == []


async def test_app_gets_events_of_its_own_direct_messages(
    slack: LocalSlack, app: Any, web: AsyncWebClient
) -> None:
    """The app gets its own messages and their edits, as from Slack."""
    posted = await web.chat_postMessage(channel="U0ADA", text="hello")
    await web.chat_update(channel=posted["channel"], ts=posted["ts"], text="hello again")
    await slack.until(lambda: len(app.got) == 2)
    assert events(app)[0]["bot_id"] == "B0JOBTHREAD"
    assert events(app)[1]["subtype"] == "message_changed"


@pytest.mark.parametrize("events_wanted", [{"app_mention", "message.channels"}])
async def test_both_events_of_a_mention_share_its_ts(slack: LocalSlack, app: Any) -> None:
    """An app that subscribed to both events gets one message twice, with one ts."""
    await slack.says("@jobthread J1")
    assert {event["type"] for event in events(app)} == {"app_mention", "message"}
    assert len({event["ts"] for event in events(app)}) == 1


async def test_event_can_be_delivered_twice(slack: LocalSlack, app: Any) -> None:
    """`deliver_twice` repeats an event unchanged."""
    slack.faults.deliver_twice()
    await slack.says("@jobthread J1")
    await slack.until(lambda: len(app.got) == 2)
    assert app.got[0].payload == app.got[1].payload
    assert app.got[1].retry_attempt == 0


async def test_acknowledged_event_can_be_retried(slack: LocalSlack, app: Any) -> None:
    """`retry_event` sends one retry, marked as such."""
    slack.faults.retry_event()
    await slack.says("@jobthread J1")
    await slack.until(lambda: len(app.got) == 2)
    assert (app.got[1].retry_attempt, app.got[1].retry_reason) == (1, "timeout")
