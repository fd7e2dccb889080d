"""Events: what is said becomes what the app subscribed to."""

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import LocalSlack

pytestmark = pytest.mark.anyio


def events(app: Any) -> list[dict]:
    return [request.payload["event"] for request in app.got if request.type == "events_api"]


async def test_a_mention_arrives_with_its_text_marked_up(slack: LocalSlack, app: Any) -> None:
    """People, links and special characters arrive as Slack writes them."""
    await slack.says("@jobthread see https://x.test/j/1, @ben & <you>", channel="general")
    [event] = events(app)
    assert event["type"] == "app_mention"
    assert event["channel"] == "C0GENERAL"
    assert event["text"] == ("<@U0JOBTHREAD> see <https://x.test/j/1>, <@U0BEN> &amp; &lt;you&gt;")


async def test_a_mention_names_the_message_that_it_was(slack: LocalSlack, app: Any) -> None:
    """Its ts is the asker's own message's: what is reacted to, or answered in a thread."""
    said = (await slack.says("@jobthread J1")).message
    [event] = events(app)
    assert said is not None
    assert (event["ts"], event["event_ts"], event["user"]) == (said.ts, said.ts, "U0ADA")


async def test_an_event_has_slacks_envelope(slack: LocalSlack, app: Any) -> None:
    """The outer fields are Slack's."""
    await slack.says("@jobthread J1")
    payload = app.got[0].payload
    assert payload["type"] == "event_callback"
    assert payload["authorizations"][0]["user_id"] == "U0JOBTHREAD"
    assert payload["event_id"].startswith("Ev")
    assert isinstance(payload["event_time"], int)


async def test_a_direct_message_is_a_message_and_no_mention(slack: LocalSlack, app: Any) -> None:
    """In a direct message even the bot's name makes no `app_mention`."""
    await slack.says("@jobthread J1", channel="im")
    [event] = events(app)
    assert (event["type"], event["channel_type"]) == ("message", "im")


async def test_talk_without_a_mention_is_not_sent(slack: LocalSlack, app: Any) -> None:
    """The app hears only what it subscribed to."""
    await slack.says("good morning")
    assert app.got == []


async def test_a_mention_where_the_bot_is_not_a_member_is_not_sent(
    slack: LocalSlack, app: Any
) -> None:
    """A channel without the bot is silent for it."""
    await slack.says("@jobthread J1", channel="private-ops")
    assert app.got == []


async def test_the_bots_own_words_come_back_in_a_direct_message(
    slack: LocalSlack, app: Any, web: AsyncWebClient
) -> None:
    """Slack tells an app of its own messages too, and of their changes."""
    posted = await web.chat_postMessage(channel="U0ADA", text="hello")
    await web.chat_update(channel=posted["channel"], ts=posted["ts"], text="hello again")
    await slack.until(lambda: len(app.got) == 2)
    assert events(app)[0]["bot_id"] == "B0JOBTHREAD"
    assert events(app)[1]["subtype"] == "message_changed"


@pytest.mark.parametrize("events_wanted", [{"app_mention", "message.channels"}])
async def test_both_events_of_a_mention_share_its_ts(slack: LocalSlack, app: Any) -> None:
    """An app that subscribed to both hears of one message twice, with one ts."""
    await slack.says("@jobthread J1")
    assert {event["type"] for event in events(app)} == {"app_mention", "message"}
    assert len({event["ts"] for event in events(app)}) == 1


async def test_an_event_can_arrive_twice(slack: LocalSlack, app: Any) -> None:
    """`deliver_twice` repeats an event exactly as it was."""
    slack.faults.deliver_twice()
    await slack.says("@jobthread J1")
    await slack.until(lambda: len(app.got) == 2)
    assert app.got[0].payload == app.got[1].payload
    assert app.got[1].retry_attempt == 0


async def test_an_acknowledged_event_can_be_retried(slack: LocalSlack, app: Any) -> None:
    """`retry_event` sends one repetition, marked as such."""
    slack.faults.retry_event()
    await slack.says("@jobthread J1")
    await slack.until(lambda: len(app.got) == 2)
    assert (app.got[1].retry_attempt, app.got[1].retry_reason) == (1, "timeout")
