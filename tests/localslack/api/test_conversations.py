"""conversations.* methods and authorisation, called by slack_sdk's client."""

from typing import Any

import pytest
from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack

pytestmark = pytest.mark.anyio


async def post(web: AsyncWebClient, *texts: str, **more: Any) -> list[str]:
    return [
        (await web.chat_postMessage(channel="C0DEPLOYS", text=text, **more))["ts"] for text in texts
    ]


async def test_history_is_paged_newest_first(web: AsyncWebClient) -> None:
    """Cursors page through the whole channel, without missing or repeated messages."""
    await post(web, *"abcde")
    texts, cursor = [], ""
    while True:
        page = await web.conversations_history(channel="C0DEPLOYS", limit=2, cursor=cursor)
        texts += [message["text"] for message in page["messages"]]
        cursor = page["response_metadata"]["next_cursor"]
        if not page["has_more"]:
            break
    assert texts == list("edcba")
    assert cursor == ""


async def test_replies_are_paged_oldest_first_after_the_root(web: AsyncWebClient) -> None:
    """Each page starts with the root, then continues after the previous page."""
    [root] = await post(web, "root")
    await post(web, *"abc", thread_ts=root)
    arguments = {"channel": "C0DEPLOYS", "ts": root, "limit": 2}
    first = await web.conversations_replies(**arguments)
    cursor = first["response_metadata"]["next_cursor"]
    second = await web.conversations_replies(cursor=cursor, **arguments)
    assert [m["text"] for m in first["messages"]] == ["root", "a", "b"]
    assert [m["text"] for m in second["messages"]] == ["root", "c"]


async def test_history_bounds_are_exclusive_by_default(web: AsyncWebClient) -> None:
    """`oldest` and `latest` exclude the messages they name; `inclusive` includes them."""
    a, _, c = await post(web, *"abc")
    arguments = {"channel": "C0DEPLOYS", "oldest": a, "latest": c}
    within = await web.conversations_history(**arguments)
    with_ends = await web.conversations_history(inclusive=True, **arguments)
    assert [m["text"] for m in within["messages"]] == ["b"]
    assert [m["text"] for m in with_ends["messages"]] == list("cba")


@pytest.mark.parametrize(
    ("method", "arguments", "code"),
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
async def test_invalid_read_returns_slacks_error_code(
    slack: LocalSlack, method: str, arguments: dict[str, Any], code: str
) -> None:
    """Each invalid read returns the error code that Slack documents."""
    answer = await call(slack, method, arguments, slack.bot_token)
    assert (answer["ok"], answer["error"]) == (False, code)


async def test_direct_channel_is_opened_once(web: AsyncWebClient) -> None:
    """Opening it again returns the same channel."""
    first = await web.conversations_open(users="U0BEN")
    again = await web.conversations_open(users="U0BEN")
    assert first["channel"]["id"] == again["channel"]["id"]


async def test_users_and_channels_can_be_looked_up(web: AsyncWebClient) -> None:
    """`users.info` and `conversations.info` know the default workspace."""
    assert (await web.users_info(user="U0ADA"))["user"]["name"] == "ada"
    assert (await web.conversations_info(channel="C0DEPLOYS"))["channel"]["is_member"]


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (None, "not_authed"),
        ("xoxb-somebody-else", "invalid_auth"),
        (LocalSlack.app_token, "not_allowed_token_type"),
    ],
)
async def test_wrong_token_is_rejected(slack: LocalSlack, token: str | None, code: str) -> None:
    """A missing, an unknown and a misplaced token have different error codes."""
    assert (await call(slack, "auth.test", {}, token))["error"] == code


async def test_call_may_be_encoded_as_form_or_json(slack: LocalSlack) -> None:
    """Both encodings reach the same method; a token in a JSON body is ignored."""
    given = {"channel": "C0DEPLOYS", "text": "hello", "token": slack.bot_token}
    async with ClientSession() as session:
        async with session.post(slack.api_url + "chat.postMessage", data=given) as response:
            assert (await response.json())["ok"]
        async with session.post(slack.api_url + "chat.postMessage", json=given) as response:
            assert (await response.json())["error"] == "not_authed"


async def call(slack: LocalSlack, method: str, arguments: dict, token: str | None) -> dict:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        ClientSession() as session,
        session.post(slack.api_url + method, data=arguments, headers=headers) as response,
    ):
        assert response.status == 200
        return await response.json()
