"""Slack transport: slack_sdk's client against a local Slack."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.sdk.cards import blocks, tables
from bot.sdk.cards.blocks import text_message
from bot.sdk.errors import SlackRateLimited, SlackRejected, SlackUnconfirmed
from bot.sdk.models import Message
from bot.sdk.testing import ManualClock, serve
from bot.slack import web_api
from bot.slack.web_api import WebApiTransport
from localslack import LocalSlack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

CHANNEL = "C0DEPLOYS"
SECTION = {"type": "section", "text": {"type": "plain_text", "text": "deploy-api is running."}}
PLAN = blocks.plan("Tasks", [blocks.task_card("t1", "PREPARE", "pending")])
TABLE = tables.table([("Status", "Task"), ("queued", "PREPARE")], align=("left", "left"))
HELLO = Message(text="hello", blocks=(SECTION,))
CARD = Message(text="deploy-api is running.", blocks=(SECTION, PLAN), classic=(SECTION,))


class TransportHarness:
    """A local Slack and a transport to it."""

    def __init__(
        self, slack: LocalSlack, session: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        self.slack = slack
        self.session = session
        self.clock = clock
        self.transport = self.to(slack.api_url)

    def to(self, url: str, token: str = LocalSlack.bot_token) -> WebApiTransport:
        """Return a transport to another URL, or with another token."""
        client = AsyncWebClient(token, base_url=url, session=self.session, retry_handlers=[])
        return WebApiTransport(client, self.session, self.clock)

    async def find(self, key: str, thread_ts: str | None = None) -> str | None:
        """Look up a message by key, in the channel or in a thread."""
        since = self.slack.workspace.clock.now()
        return await self.transport.find(CHANNEL, key, thread_ts=thread_ts, since=since)

    def sent(self, method: str = "chat.postMessage") -> list[dict[str, Any]]:
        """Return the arguments of each call of a method."""
        return [call.arguments for call in self.slack.calls_of(method)]

    def types(self) -> list[list[str]]:
        """Return the types of the blocks of each message posted."""
        return [[block["type"] for block in call["blocks"]] for call in self.sent()]


@pytest.fixture
async def harness() -> AsyncIterator[TransportHarness]:
    timeout, clock = aiohttp.ClientTimeout(total=5), ManualClock()
    async with (
        LocalSlack(clock=clock) as slack,
        aiohttp.ClientSession(timeout=timeout) as session,
    ):
        yield TransportHarness(slack, session, clock)


async def test_post_carries_its_idempotency_key(harness: TransportHarness) -> None:
    """It can be found again, and nothing in it unfurls or mentions."""
    ts = await harness.transport.post(CHANNEL, HELLO, idempotency_key="watch:1")
    (call,) = harness.sent()
    assert call["metadata"]["event_payload"] == {"key": "watch:1"}
    assert {name: call[name] for name in web_api.NO_UNFURL} == web_api.NO_UNFURL
    assert [m.ts for m in harness.slack.messages()] == [ts]


async def test_one_key_has_one_client_message_id(harness: TransportHarness) -> None:
    """Slack may detect the second attempt by itself."""
    for key in ("watch:1", "watch:1", "watch:2"):
        await harness.transport.post(CHANNEL, HELLO, idempotency_key=key)
    first, second, other = [call["client_msg_id"] for call in harness.sent()]
    assert first == second != other


async def test_reply_is_in_its_thread_and_broadcast_on_request(harness: TransportHarness) -> None:
    """Only a broadcast is shown in the channel."""
    root = await harness.transport.post(CHANNEL, HELLO, idempotency_key="1")
    await harness.transport.post(CHANNEL, HELLO, idempotency_key="2", thread_ts=root)
    broadcast_ts = await harness.transport.post(
        CHANNEL, HELLO, idempotency_key="3", thread_ts=root, broadcast=True
    )
    assert len(harness.slack.thread(CHANNEL, root)) == 3
    assert [m.ts for m in harness.slack.messages()] == [root, broadcast_ts]


async def test_update_replaces_the_message(harness: TransportHarness) -> None:
    """The timestamp and the idempotency key stay."""
    ts = await harness.transport.post(CHANNEL, HELLO, idempotency_key="1")
    await harness.transport.update(CHANNEL, ts, with_text("done"))
    assert [m.text for m in harness.slack.messages()] == ["done"]
    assert await harness.find("1") == ts


def with_text(text: str) -> Message:
    return HELLO.replace(text=text)


async def test_ephemeral_message_is_seen_by_one_user_in_a_thread(harness: TransportHarness) -> None:
    """The others do not see it."""
    ada = harness.slack.workspace.user("ada").id
    root = await harness.transport.post(CHANNEL, HELLO, idempotency_key="1")
    await harness.transport.post_ephemeral(CHANNEL, ada, with_text("psst"), thread_ts=root)
    (whisper,) = harness.slack.ephemerals("ada")
    assert (whisper.text, whisper.thread_ts) == ("psst", root)
    assert not harness.slack.ephemerals("ben")


async def test_direct_messages_are_opened_by_user_id(harness: TransportHarness) -> None:
    """The returned channel accepts posts."""
    direct = await harness.transport.open_direct(harness.slack.workspace.user("ada").id)
    ts = await harness.transport.post(direct, HELLO, idempotency_key="1")
    assert [m.ts for m in harness.slack.thread(direct, ts)] == [ts]


# Fallback to classic blocks.


async def test_classic_blocks_are_sent_if_newer_ones_are_rejected(
    harness: TransportHarness,
) -> None:
    """With one more call."""
    harness.slack.faults.refuse("invalid_blocks", "chat.postMessage")
    await harness.transport.post(CHANNEL, CARD, idempotency_key="1")
    assert harness.types() == [["section", "plan"], ["section"]]


async def test_rejection_is_remembered_for_its_block_type_only(harness: TransportHarness) -> None:
    """The next card takes one call; a card with another newer type is tried."""
    harness.slack.faults.refuse("invalid_blocks", "chat.postMessage")
    await harness.transport.post(CHANNEL, CARD, idempotency_key="1")
    await harness.transport.post(CHANNEL, CARD, idempotency_key="2")
    table = CARD.replace(blocks=(SECTION, TABLE))
    harness.slack.faults.refuse("msg_too_long", "chat.postMessage")
    with pytest.raises(SlackRejected):
        await harness.transport.post(CHANNEL, table, idempotency_key="3")
    assert harness.types()[2:] == [["section"], ["section", "table"]]


async def test_rejection_is_forgotten_after_an_hour(
    harness: TransportHarness,
) -> None:
    """Slack learns new blocks; cards sent meanwhile do not extend the hour."""
    harness.slack.faults.refuse("invalid_blocks", "chat.postMessage")
    await harness.transport.post(CHANNEL, CARD, idempotency_key="1")
    for n, minutes in enumerate((30, 29, 2)):
        await harness.clock.advance(minutes * 60)
        await harness.transport.post(CHANNEL, CARD, idempotency_key=f"later {n}")
    assert harness.types()[-3:] == [["section"], ["section"], ["section", "plan"]]


async def test_text_is_sent_if_all_blocks_are_rejected(harness: TransportHarness) -> None:
    """The text is complete by itself."""
    harness.slack.faults.refuse("invalid_blocks", "chat.postMessage", times=2)
    await harness.transport.post(CHANNEL, CARD, idempotency_key="1")
    assert harness.types() == [["section", "plan"], ["section"], []]
    assert [message.text for message in harness.slack.messages()] == [CARD.text]


@pytest.mark.parametrize(("code", "times"), [("invalid_blocks", 2), ("msg_blocks_too_long", 1)])
async def test_rejection_not_caused_by_newer_blocks_is_forgotten(
    code: str, times: int, harness: TransportHarness
) -> None:
    """An error of ours, or one long card, does not make every card plain."""
    harness.slack.faults.refuse(code, "chat.postMessage", times=times)
    await harness.transport.post(CHANNEL, CARD, idempotency_key="1")
    await harness.transport.post(CHANNEL, CARD, idempotency_key="2")
    assert harness.types()[-1] == ["section", "plan"]


async def test_message_without_classic_blocks_falls_back_to_text(harness: TransportHarness) -> None:
    """There is no step between."""
    harness.slack.faults.refuse("invalid_blocks", "chat.postMessage")
    await harness.transport.post(CHANNEL, HELLO, idempotency_key="1")
    assert harness.types() == [["section"], []]


async def test_update_falls_back_as_a_post_does(harness: TransportHarness) -> None:
    """Both share the memory of rejected block types."""
    ts = await harness.transport.post(CHANNEL, HELLO, idempotency_key="1")
    harness.slack.faults.refuse("invalid_blocks", "chat.update")
    await harness.transport.update(CHANNEL, ts, CARD)
    await harness.transport.update(CHANNEL, ts, CARD)
    shown = [[b["type"] for b in call["blocks"]] for call in harness.sent("chat.update")]
    assert shown == [["section", "plan"], ["section"], ["section"]]


# Errors.


async def test_429_carries_its_delay_and_is_not_retried(harness: TransportHarness) -> None:
    """The outbox decides when to retry."""
    harness.slack.faults.rate_limit("chat.postMessage", retry_after=17)
    with pytest.raises(SlackRateLimited) as caught:
        await harness.transport.post(CHANNEL, HELLO, idempotency_key="1")
    assert caught.value.retry_after == 17
    assert len(harness.sent()) == 1


async def test_lost_response_is_unconfirmed_until_looked_up(harness: TransportHarness) -> None:
    """The message exists, and is found by its key."""
    harness.slack.faults.lose_answer("chat.postMessage")
    with pytest.raises(SlackUnconfirmed):
        await harness.transport.post(CHANNEL, HELLO, idempotency_key="1")
    (posted,) = harness.slack.messages()
    assert await harness.find("1") == posted.ts


@pytest.mark.parametrize("after", [True, False])
async def test_server_error_is_unconfirmed(after: bool, harness: TransportHarness) -> None:  # noqa: FBT001
    """A 5xx does not say whether the message was posted."""
    harness.slack.faults.fail("chat.postMessage", after=after)
    with pytest.raises(SlackUnconfirmed):
        await harness.transport.post(CHANNEL, HELLO, idempotency_key="1")
    assert len(harness.slack.messages()) == int(after)


@pytest.mark.parametrize("code", ["internal_error", "fatal_error", "service_unavailable"])
async def test_internal_error_code_is_unconfirmed(code: str, harness: TransportHarness) -> None:
    """These codes of Slack do not say whether the message was posted."""
    harness.slack.faults.refuse(code, "chat.postMessage")
    with pytest.raises(SlackUnconfirmed):
        await harness.transport.post(CHANNEL, HELLO, idempotency_key="1")


@pytest.mark.parametrize("code", ["is_archived", "msg_too_long", "restricted_action"])
async def test_rejection_carries_slacks_error_code(code: str, harness: TransportHarness) -> None:
    """The dead letter records why."""
    harness.slack.faults.refuse(code, "chat.postMessage")
    with pytest.raises(SlackRejected) as caught:
        await harness.transport.post(CHANNEL, HELLO, idempotency_key="1")
    assert caught.value.code == code


async def test_channel_without_the_bot_rejects(harness: TransportHarness) -> None:
    """Slack's code is not_in_channel."""
    harness.slack.remove_bot("deploys")
    with pytest.raises(SlackRejected) as caught:
        await harness.transport.post(CHANNEL, HELLO, idempotency_key="1")
    assert caught.value.code == "not_in_channel"


@pytest.mark.parametrize("code", ["invalid_auth", "token_revoked", "account_inactive"])
async def test_rejected_token_keeps_the_message_for_a_retry(
    code: str, harness: TransportHarness
) -> None:
    """A new token sends it; retries are slow until then."""
    harness.slack.faults.refuse(code, "chat.postMessage")
    with pytest.raises(SlackRateLimited) as caught:
        await harness.transport.post(CHANNEL, HELLO, idempotency_key="1")
    assert caught.value.retry_after == web_api.TOKEN_RETRY_SECONDS
    assert "jobthread check" in str(caught.value)


async def test_wrong_token_is_not_shown(harness: TransportHarness) -> None:
    """Neither in the sentence nor in the cause."""
    wrong = harness.to(harness.slack.api_url, "xoxb-sEcReT")
    with pytest.raises(SlackRateLimited) as caught:
        await wrong.post(CHANNEL, HELLO, idempotency_key="1")
    assert "sEcReT" not in f"{caught.value}{caught.value!r}{caught.value.__cause__}"


async def test_refused_connection_may_be_retried(harness: TransportHarness) -> None:
    """Nothing was sent, so no look-up is needed."""
    with pytest.raises(SlackRateLimited) as caught:
        await harness.to("http://127.0.0.1:1/api/").post(CHANNEL, HELLO, idempotency_key="1")
    assert caught.value.retry_after == web_api.UNREACHABLE_RETRY_SECONDS


async def test_timeout_is_unconfirmed(harness: TransportHarness) -> None:
    """The session's timeout ends the wait."""

    async def never(request: web.Request) -> web.Response:
        await request.loop.create_future()
        raise AssertionError

    app = web.Application()
    app.router.add_post("/api/{method}", never)
    timeout = aiohttp.ClientTimeout(total=0.05)
    async with serve(app) as url, aiohttp.ClientSession(timeout=timeout) as session:
        impatient = TransportHarness(harness.slack, session, harness.clock).to(f"{url}/api/")
        with pytest.raises(SlackUnconfirmed):
            await impatient.post(CHANNEL, HELLO, idempotency_key="1")


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (200, "text/html", "<html>Sign in to the guest network</html>"),
        (200, "application/json", "<html>"),
        (200, "application/json", "{}"),
        (200, "application/json", "[]"),
        (200, "application/json", "[1]"),
        (200, "text/plain", "ok"),
        (403, "text/html", "<html>Blocked by the proxy</html>"),
        (502, "text/html", "<html>Bad gateway</html>"),
        (502, "text/plain", "bad gateway"),
    ],
)
async def test_response_of_a_proxy_is_unconfirmed(
    status: int, kind: str, body: str, harness: TransportHarness
) -> None:
    """A proxy's page never rejects a message for good."""

    async def proxy(request: web.Request) -> web.Response:
        del request
        return web.Response(status=status, content_type=kind, text=body)

    app = web.Application()
    app.router.add_post("/api/{method}", proxy)
    async with serve(app) as url:
        with pytest.raises(SlackUnconfirmed):
            await harness.to(f"{url}/api/").post(CHANNEL, HELLO, idempotency_key="1")


# Look-up by idempotency key.


async def test_message_is_found_by_key_in_channel_and_thread(
    harness: TransportHarness,
) -> None:
    """Only where it was posted, and only under its own key."""
    root = await harness.transport.post(CHANNEL, HELLO, idempotency_key="root")
    reply = await harness.transport.post(CHANNEL, HELLO, idempotency_key="reply", thread_ts=root)
    assert await harness.find("root") == root
    assert await harness.find("reply", root) == reply
    assert await harness.find("reply") is None
    assert await harness.find("other", root) is None


async def test_message_is_found_on_a_later_page(
    harness: TransportHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy channel has many messages in a minute; the number of pages is limited."""
    ts = await harness.transport.post(CHANNEL, HELLO, idempotency_key="mine")
    for number in range(1_100):
        draft = harness.slack.workspace.bot_draft(CHANNEL, text=f"other {number}")
        harness.slack.workspace.post(draft)
    assert await harness.find("mine") == ts
    monkeypatch.setattr(web_api, "MAX_PAGES", 5)
    assert await harness.find("mine") is None


async def test_messages_of_other_apps_are_not_found(harness: TransportHarness) -> None:
    """Metadata of another type, or none, does not count."""
    for metadata in (None, {"event_type": "other", "event_payload": {"key": "1"}}):
        draft = harness.slack.workspace.bot_draft(CHANNEL, text="x", metadata=metadata)
        harness.slack.workspace.post(draft)
    assert await harness.find("1") is None


async def test_look_up_ignores_messages_from_long_before(harness: TransportHarness) -> None:
    """They cannot be the one just sent; an hour covers a wrong clock."""
    await harness.transport.post(CHANNEL, HELLO, idempotency_key="1")
    since = harness.slack.workspace.clock.now() + timedelta(seconds=3_662)
    assert await harness.transport.find(CHANNEL, "1", thread_ts=None, since=since) is None
    assert await harness.find("1")


# response_urls.


async def response_url(harness: TransportHarness) -> str:
    answer = await harness.slack.says("/job")
    assert answer.response_url
    return answer.response_url


async def test_response_url_posts_an_ephemeral_message(harness: TransportHarness) -> None:
    """In the given thread."""
    url = await response_url(harness)
    await harness.transport.respond(url, with_text("psst"), replace=False, thread_ts="1.2")
    whisper = harness.slack.ephemerals("ada")[-1]
    assert (whisper.text, whisper.thread_ts) == ("psst", "1.2")
    assert not harness.slack.messages()


async def test_response_url_of_a_click_replaces_and_deletes(
    harness: TransportHarness,
) -> None:
    """An ephemeral message can be changed in no other way."""
    url = await response_url(harness)
    before = len(harness.slack.ephemerals("ada"))
    asked = text_message("one", blocks.button("Again", "run", value="x"))
    await harness.transport.respond(url, asked, replace=False, thread_ts=None)
    clicked = await harness.slack.click(harness.slack.ephemerals("ada")[-1], "run")
    url = clicked.response_url or ""
    await harness.transport.respond(url, with_text("two"), replace=True, thread_ts=None)
    assert [m.text for m in harness.slack.ephemerals("ada")[before:]] == ["two"]
    await harness.transport.respond(url, None, replace=False, thread_ts=None)
    assert len(harness.slack.ephemerals("ada")) == before


async def test_response_url_rejects_the_sixth_response(harness: TransportHarness) -> None:
    """The asker must then be reached in another way."""
    url = await response_url(harness)
    for _ in range(5):
        await harness.transport.respond(url, HELLO, replace=False, thread_ts=None)
    with pytest.raises(SlackRejected) as caught:
        await harness.transport.respond(url, HELLO, replace=False, thread_ts=None)
    assert caught.value.code == "response_url_refused"
    assert url not in f"{caught.value}{caught.value!r}"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (429, "", SlackRateLimited),
        (500, "", SlackUnconfirmed),
        (404, '{"ok":false,"error":"used_url"}', SlackRejected),
        (200, '{"ok": false, "error": "expired_url"}', SlackRejected),
    ],
)
async def test_response_url_errors_are_mapped(
    status: int, body: str, error: type[Exception], harness: TransportHarness
) -> None:
    """Rate limited, unconfirmed or rejected."""

    async def answer(request: web.Request) -> web.Response:
        del request
        return web.Response(status=status, text=body, headers={"Retry-After": "3"})

    app = web.Application()
    app.router.add_post("/", answer)
    async with serve(app) as url:
        with pytest.raises(error):
            await harness.transport.respond(url, HELLO, replace=False, thread_ts=None)


async def test_response_url_falls_back_to_classic_blocks(harness: TransportHarness) -> None:
    """As posts and updates do."""
    seen: list[list[str]] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append([block["type"] for block in (await request.json())["blocks"]])
        if "plan" in seen[-1]:
            return web.Response(status=400, text='{"ok":false,"error":"invalid_blocks"}')
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_post("/", answer)
    async with serve(app) as url:
        for _ in range(2):
            await harness.transport.respond(url, CARD, replace=False, thread_ts=None)
    assert seen == [["section", "plan"], ["section"], ["section"]]


async def test_unreachable_response_url_may_be_retried(harness: TransportHarness) -> None:
    """Nothing was sent."""
    with pytest.raises(SlackRateLimited):
        await harness.transport.respond("http://127.0.0.1:1/", HELLO, replace=False, thread_ts=None)


async def test_update_shortens_a_text_of_over_4000_bytes(harness: TransportHarness) -> None:
    """Slack counts the bytes of an updated text; the blocks still have everything."""
    ts = await harness.transport.post(CHANNEL, HELLO, idempotency_key="watch:1")
    await harness.transport.update(CHANNEL, ts, Message(text="任" * 2_000, blocks=(SECTION,)))
    (call,) = harness.sent("chat.update")
    assert len(call["text"].encode()) <= web_api.MAX_UPDATE_BYTES
    assert call["text"].endswith("任…")
    assert call["blocks"] == [SECTION]
