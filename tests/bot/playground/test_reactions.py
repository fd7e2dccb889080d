"""Emoji under messages, put there by the app and by people."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import LocalSlack
from bot.playground.messages import Message

pytestmark = pytest.mark.anyio

BOT = "U0JOBTHREAD"


async def error(call: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        await call
    return str(refused.value.response["error"])


@pytest.fixture
async def said(slack: LocalSlack) -> Message:
    answer = await slack.says("run it")
    assert answer.message is not None
    return answer.message


@pytest.fixture
def place(said: Message) -> dict[str, str]:
    return {"channel": said.channel, "timestamp": said.ts, "name": "eyes"}


async def test_the_same_hand_reacts_once(web: AsyncWebClient, place: dict[str, str]) -> None:
    """The same emoji twice from the same hand is refused, and so is taking away what is not."""
    await web.reactions_add(**place)
    assert await error(web.reactions_add(**place)) == "already_reacted"
    await web.reactions_remove(**place)
    assert await error(web.reactions_remove(**place)) == "no_reaction"


async def test_reactions_are_told_with_the_message(
    slack: LocalSlack, web: AsyncWebClient, said: Message, place: dict[str, str]
) -> None:
    """History and replies count them, in the order in which the emoji came."""
    await web.reactions_add(**place)
    await web.reactions_add(**{**place, "name": ":wave::skin-tone-3:"})
    slack.react(said, "eyes", user="ben")
    told = [
        {"name": "eyes", "users": [BOT, "U0BEN"], "count": 2},
        {"name": "wave::skin-tone-3", "users": [BOT], "count": 1},
    ]
    history = await web.conversations_history(channel=said.channel)
    replies = await web.conversations_replies(channel=said.channel, ts=said.ts)
    assert history["messages"][0]["reactions"] == replies["messages"][0]["reactions"] == told


async def test_an_edit_leaves_the_reactions(slack: LocalSlack, web: AsyncWebClient) -> None:
    """A card that is drawn again keeps what stands under it."""
    posted = await web.chat_postMessage(channel="C0DEPLOYS", text="running")
    await web.reactions_add(channel="C0DEPLOYS", timestamp=posted["ts"], name="eyes")
    await web.chat_update(channel="C0DEPLOYS", ts=posted["ts"], text="done")
    [message] = slack.messages()
    assert (message.text, message.reactors("eyes")) == ("done", (BOT,))


async def test_a_person_presses_an_emoji_and_presses_it_again(
    slack: LocalSlack, said: Message
) -> None:
    """The second press takes the first back."""
    assert slack.react(said, "eyes", user="ben").reactors("eyes") == ("U0BEN",)
    assert slack.react(said, "eyes", user="ben").reactions == ()


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"name": "No Such"}, "invalid_name"),
        ({"name": "eyes::skin-tone-9"}, "invalid_name"),
        ({"name": ""}, "invalid_name"),
        ({"channel": "C0NOWHERE"}, "channel_not_found"),
        ({"channel": "deploys"}, "channel_not_found"),
        ({"channel": "C0PRIVOPS"}, "channel_not_found"),
        ({"timestamp": "1.000000"}, "message_not_found"),
        ({"timestamp": "yesterday"}, "bad_timestamp"),
        ({"timestamp": ""}, "no_item_specified"),
    ],
)
async def test_a_reaction_is_refused_in_slacks_own_word(
    web: AsyncWebClient, place: dict[str, str], wrong: dict[str, str], word: str
) -> None:
    """Adding and removing name what is wrong alike."""
    assert await error(web.reactions_add(**{**place, **wrong})) == word
    assert await error(web.reactions_remove(**{**place, **wrong})) == word


async def test_a_channel_without_the_bot_takes_no_reactions(
    slack: LocalSlack, web: AsyncWebClient, place: dict[str, str]
) -> None:
    """Though the app may post there without joining."""
    slack.workspace.post_without_joining = True
    slack.remove_bot("deploys")
    assert await error(web.reactions_add(**place)) == "not_in_channel"


async def test_an_archived_channel_takes_no_reactions(
    slack: LocalSlack, web: AsyncWebClient, place: dict[str, str]
) -> None:
    """It is closed to everything new."""
    slack.archive("deploys")
    assert await error(web.reactions_add(**place)) == "is_archived"


async def test_a_deleted_root_takes_no_reactions(
    slack: LocalSlack, web: AsyncWebClient, said: Message, place: dict[str, str]
) -> None:
    """Its tombstone is no message."""
    await slack.says("a reply", thread_ts=said.ts)
    slack.delete(said)
    assert await error(web.reactions_add(**place)) == "message_not_found"


async def test_one_hand_puts_no_more_than_23_emoji_under_a_message(
    web: AsyncWebClient, place: dict[str, str]
) -> None:
    """The next one is refused."""
    for number in range(23):
        await web.reactions_add(**{**place, "name": f"emoji-{number}"})
    assert await error(web.reactions_add(**place)) == "too_many_reactions"
