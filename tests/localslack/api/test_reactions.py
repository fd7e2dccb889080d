"""reactions.* methods, and reactions of users."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack
from localslack.state.messages import Message

pytestmark = pytest.mark.anyio

BOT = "U0JOBTHREAD"


async def error_code(call: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        await call
    return str(refused.value.response["error"])


@pytest.fixture
async def message(slack: LocalSlack) -> Message:
    answer = await slack.says("run it")
    assert answer.message is not None
    return answer.message


@pytest.fixture
def reaction(message: Message) -> dict[str, str]:
    return {"channel": message.channel, "timestamp": message.ts, "name": "eyes"}


async def test_user_reacts_once_with_an_emoji(
    web: AsyncWebClient, reaction: dict[str, str]
) -> None:
    """A repeated reaction is rejected, and so is the removal of a missing one."""
    await web.reactions_add(**reaction)
    assert await error_code(web.reactions_add(**reaction)) == "already_reacted"
    await web.reactions_remove(**reaction)
    assert await error_code(web.reactions_remove(**reaction)) == "no_reaction"


async def test_reactions_are_returned_with_the_message(
    slack: LocalSlack, web: AsyncWebClient, message: Message, reaction: dict[str, str]
) -> None:
    """History and replies contain them, in the order of the first reaction."""
    await web.reactions_add(**reaction)
    await web.reactions_add(**{**reaction, "name": ":wave::skin-tone-3:"})
    slack.react(message, "eyes", user="ben")
    expected = [
        {"name": "eyes", "users": [BOT, "U0BEN"], "count": 2},
        {"name": "wave::skin-tone-3", "users": [BOT], "count": 1},
    ]
    history = await web.conversations_history(channel=message.channel)
    replies = await web.conversations_replies(channel=message.channel, ts=message.ts)
    assert history["messages"][0]["reactions"] == replies["messages"][0]["reactions"] == expected


async def test_edit_keeps_the_reactions(slack: LocalSlack, web: AsyncWebClient) -> None:
    """An edited message keeps its reactions."""
    posted = await web.chat_postMessage(channel="C0DEPLOYS", text="running")
    await web.reactions_add(channel="C0DEPLOYS", timestamp=posted["ts"], name="eyes")
    await web.chat_update(channel="C0DEPLOYS", ts=posted["ts"], text="done")
    [message] = slack.messages()
    assert (message.text, message.reactors("eyes")) == ("done", (BOT,))


async def test_second_press_removes_the_reaction(slack: LocalSlack, message: Message) -> None:
    """Pressing an emoji toggles the reaction."""
    assert slack.react(message, "eyes", user="ben").reactors("eyes") == ("U0BEN",)
    assert slack.react(message, "eyes", user="ben").reactions == ()


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
async def test_invalid_reaction_returns_slacks_error_code(
    web: AsyncWebClient, reaction: dict[str, str], wrong: dict[str, str], word: str
) -> None:
    """Adding and removing have the same error codes."""
    assert await error_code(web.reactions_add(**{**reaction, **wrong})) == word
    assert await error_code(web.reactions_remove(**{**reaction, **wrong})) == word


async def test_reaction_requires_channel_membership(
    slack: LocalSlack, web: AsyncWebClient, reaction: dict[str, str]
) -> None:
    """This holds even if the app may post there without joining."""
    slack.workspace.post_without_joining = True
    slack.remove_bot("deploys")
    assert await error_code(web.reactions_add(**reaction)) == "not_in_channel"


async def test_archived_channel_rejects_reactions(
    slack: LocalSlack, web: AsyncWebClient, reaction: dict[str, str]
) -> None:
    """The error is `is_archived`."""
    slack.archive("deploys")
    assert await error_code(web.reactions_add(**reaction)) == "is_archived"


async def test_deleted_root_rejects_reactions(
    slack: LocalSlack, web: AsyncWebClient, message: Message, reaction: dict[str, str]
) -> None:
    """A tombstone is not a message."""
    await slack.says("a reply", thread_ts=message.ts)
    slack.delete(message)
    assert await error_code(web.reactions_add(**reaction)) == "message_not_found"


async def test_user_has_at_most_23_reactions_on_a_message(
    web: AsyncWebClient, reaction: dict[str, str]
) -> None:
    """The next reaction is rejected."""
    for number in range(23):
        await web.reactions_add(**{**reaction, "name": f"emoji-{number}"})
    assert await error_code(web.reactions_add(**reaction)) == "too_many_reactions"
