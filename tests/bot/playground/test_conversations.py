"""Reading channels, threads and people, asked by slack_sdk's own client."""

from typing import Any

import pytest
from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import LocalSlack

pytestmark = pytest.mark.anyio


async def post(web: AsyncWebClient, *texts: str, **more: Any) -> list[str]:
    return [
        (await web.chat_postMessage(channel="C0DEPLOYS", text=text, **more))["ts"] for text in texts
    ]


async def test_history_comes_newest_first_page_by_page(web: AsyncWebClient) -> None:
    """The cursor leads through the whole channel, without gaps or repetitions."""
    await post(web, *"abcde")
    seen, cursor = [], ""
    while True:
        page = await web.conversations_history(channel="C0DEPLOYS", limit=2, cursor=cursor)
        seen += [message["text"] for message in page["messages"]]
        cursor = page["response_metadata"]["next_cursor"]
        if not page["has_more"]:
            break
    assert seen == list("edcba")
    assert cursor == ""


async def test_replies_come_oldest_first_with_the_root_on_every_page(web: AsyncWebClient) -> None:
    """Each page opens with the root, then goes on where the last one ended."""
    [root] = await post(web, "root")
    await post(web, *"abc", thread_ts=root)
    asked = {"channel": "C0DEPLOYS", "ts": root, "limit": 2}
    first = await web.conversations_replies(**asked)
    cursor = first["response_metadata"]["next_cursor"]
    second = await web.conversations_replies(cursor=cursor, **asked)
    assert [m["text"] for m in first["messages"]] == ["root", "a", "b"]
    assert [m["text"] for m in second["messages"]] == ["root", "c"]


async def test_bounds_are_exclusive_unless_asked_otherwise(web: AsyncWebClient) -> None:
    """`oldest` and `latest` leave out the messages they name, `inclusive` lets them in."""
    a, _, c = await post(web, *"abc")
    asked = {"channel": "C0DEPLOYS", "oldest": a, "latest": c}
    within = await web.conversations_history(**asked)
    with_ends = await web.conversations_history(inclusive=True, **asked)
    assert [m["text"] for m in within["messages"]] == ["b"]
    assert [m["text"] for m in with_ends["messages"]] == list("cba")


@pytest.mark.parametrize(
    ("method", "arguments", "word"),
    [
        ("conversations.history", {"channel": "C0NOWHERE"}, "channel_not_found"),
        ("conversations.history", {"channel": "C0DEPLOYS", "limit": 5000}, "invalid_limit"),
        ("conversations.history", {"channel": "C0DEPLOYS", "cursor": "?"}, "invalid_cursor"),
        ("conversations.replies", {"channel": "C0DEPLOYS", "ts": "1.000000"}, "thread_not_found"),
        ("conversations.info", {"channel": "C0PRIVOPS"}, "channel_not_found"),
        ("conversations.open", {"users": "U0NOBODY"}, "user_not_found"),
        ("users.info", {"user": "U0NOBODY"}, "user_not_found"),
        ("conversations.list", {}, "unknown_method"),
    ],
)
async def test_a_reader_is_refused_in_slacks_own_word(
    slack: LocalSlack, method: str, arguments: dict[str, Any], word: str
) -> None:
    """Every refusal of a reader has the error name that Slack documents."""
    answer = await ask(slack, method, arguments, slack.bot_token)
    assert (answer["ok"], answer["error"]) == (False, word)


async def test_a_direct_conversation_is_opened_once(web: AsyncWebClient) -> None:
    """Opening it again gives the same channel."""
    first = await web.conversations_open(users="U0BEN")
    again = await web.conversations_open(users="U0BEN")
    assert first["channel"]["id"] == again["channel"]["id"]


async def test_people_and_channels_can_be_looked_up(web: AsyncWebClient) -> None:
    """`users.info` and `conversations.info` know the default workspace."""
    assert (await web.users_info(user="U0ADA"))["user"]["name"] == "ada"
    assert (await web.conversations_info(channel="C0DEPLOYS"))["channel"]["is_member"]


@pytest.mark.parametrize(
    ("token", "word"),
    [
        (None, "not_authed"),
        ("xoxb-somebody-else", "invalid_auth"),
        (LocalSlack.app_token, "not_allowed_token_type"),
    ],
)
async def test_a_wrong_token_opens_nothing(slack: LocalSlack, token: str | None, word: str) -> None:
    """A missing, an unknown and a misplaced token are told apart."""
    assert (await ask(slack, "auth.test", {}, token))["error"] == word


async def test_a_call_may_be_encoded_as_form_or_json(slack: LocalSlack) -> None:
    """Both encodings reach the same method with the same arguments."""
    given = {"channel": "C0DEPLOYS", "text": "hello", "token": slack.bot_token}
    async with ClientSession() as session:
        async with session.post(slack.api_url + "chat.postMessage", data=given) as response:
            assert (await response.json())["ok"]
        async with session.post(slack.api_url + "chat.postMessage", json=given) as response:
            assert (await response.json())["error"] == "not_authed"


async def ask(slack: LocalSlack, method: str, arguments: dict, token: str | None) -> dict:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        ClientSession() as session,
        session.post(slack.api_url + method, data=arguments, headers=headers) as response,
    ):
        assert response.status == 200
        return await response.json()
