"""The way out: a real client of Slack's against a local Slack."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.answers import sentence
from bot.cards import blocks, grids
from bot.errors import SlackBusy, SlackRefused, SlackSilent
from bot.models import Message
from bot.playground import LocalSlack
from bot.slack import outgoing
from bot.slack.outgoing import WebOutlet
from bot.testing import ManualClock, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

CHANNEL = "C0DEPLOYS"
SECTION = {"type": "section", "text": {"type": "plain_text", "text": "deploy-api is running."}}
PLAN = blocks.plan("Tasks", [blocks.task_card("t1", "PREPARE", "pending")])
TABLE = grids.table([("Status", "Task"), ("queued", "PREPARE")], align=("left", "left"))
HELLO = Message(text="hello", blocks=(SECTION,))
CARD = Message(text="deploy-api is running.", blocks=(SECTION, PLAN), classic=(SECTION,))


class Place:
    """A local Slack, and the way out to it."""

    def __init__(
        self, slack: LocalSlack, session: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        self.slack = slack
        self.session = session
        self.clock = clock
        self.outlet = self.to(slack.api_url)

    def to(self, url: str, token: str = LocalSlack.bot_token) -> WebOutlet:
        """Return a way out to another address, or with another token."""
        client = AsyncWebClient(token, base_url=url, session=self.session, retry_handlers=[])
        return WebOutlet(client, self.session, self.clock)

    async def find(self, key: str, thread_ts: str | None = None) -> str | None:
        """Look for a message in the channel or in a thread."""
        since = self.slack.workspace.clock.now()
        return await self.outlet.find(CHANNEL, key, thread_ts=thread_ts, since=since)

    def sent(self, method: str = "chat.postMessage") -> list[dict[str, Any]]:
        """Return the arguments of each call of a method."""
        return [call.arguments for call in self.slack.called(method)]

    def types(self) -> list[list[str]]:
        """Return the types of the blocks of each message posted."""
        return [[block["type"] for block in call["blocks"]] for call in self.sent()]


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    timeout, clock = aiohttp.ClientTimeout(total=5), ManualClock()
    async with (
        LocalSlack(clock=clock) as slack,
        aiohttp.ClientSession(timeout=timeout) as session,
    ):
        yield Place(slack, session, clock)


async def test_a_post_carries_its_key_and_calls_nobody(place: Place) -> None:
    """It can be found again, and nothing in it unfurls or mentions."""
    ts = await place.outlet.post(CHANNEL, HELLO, key="watch:1")
    (call,) = place.sent()
    assert call["metadata"]["event_payload"] == {"key": "watch:1"}
    assert {name: call[name] for name in outgoing.CALM} == outgoing.CALM
    assert [m.ts for m in place.slack.messages()] == [ts]


async def test_one_key_has_one_client_message_id(place: Place) -> None:
    """Slack may recognise the second try by itself."""
    for key in ("watch:1", "watch:1", "watch:2"):
        await place.outlet.post(CHANNEL, HELLO, key=key)
    first, second, other = [call["client_msg_id"] for call in place.sent()]
    assert first == second != other


async def test_a_reply_goes_into_its_thread_and_is_broadcast_when_asked(place: Place) -> None:
    """Only a broadcast shows in the channel."""
    root = await place.outlet.post(CHANNEL, HELLO, key="1")
    await place.outlet.post(CHANNEL, HELLO, key="2", thread_ts=root)
    loud = await place.outlet.post(CHANNEL, HELLO, key="3", thread_ts=root, broadcast=True)
    assert len(place.slack.thread(CHANNEL, root)) == 3
    assert [m.ts for m in place.slack.messages()] == [root, loud]


async def test_an_update_replaces_the_message(place: Place) -> None:
    """Under its own timestamp; its key stays."""
    ts = await place.outlet.post(CHANNEL, HELLO, key="1")
    await place.outlet.update(CHANNEL, ts, replace_text("done"))
    assert [m.text for m in place.slack.messages()] == ["done"]
    assert await place.find("1") == ts


def replace_text(text: str) -> Message:
    return HELLO.but(text=text)


async def test_a_whisper_is_seen_by_one_person_also_in_a_thread(place: Place) -> None:
    """The others see nothing of it."""
    ada = place.slack.workspace.user("ada").id
    root = await place.outlet.post(CHANNEL, HELLO, key="1")
    await place.outlet.whisper(CHANNEL, ada, replace_text("psst"), thread_ts=root)
    (whisper,) = place.slack.ephemerals("ada")
    assert (whisper.text, whisper.thread_ts) == ("psst", root)
    assert not place.slack.ephemerals("ben")


async def test_direct_messages_are_opened_by_the_person(place: Place) -> None:
    """The channel that is returned takes posts."""
    direct = await place.outlet.open_direct(place.slack.workspace.user("ada").id)
    ts = await place.outlet.post(direct, HELLO, key="1")
    assert [m.ts for m in place.slack.thread(direct, ts)] == [ts]


# Newer blocks, and classic ones where they are refused.


async def test_where_a_newer_block_is_refused_the_classic_ones_are_sent(place: Place) -> None:
    """The card is shown all the same, with one call more."""
    place.slack.faults.refuse("invalid_blocks", "chat.postMessage")
    await place.outlet.post(CHANNEL, CARD, key="1")
    assert place.types() == [["section", "plan"], ["section"]]


async def test_a_refusal_is_remembered_for_that_type_of_block_only(place: Place) -> None:
    """The next card goes out in one call; a card with another newer block is tried."""
    place.slack.faults.refuse("invalid_blocks", "chat.postMessage")
    await place.outlet.post(CHANNEL, CARD, key="1")
    await place.outlet.post(CHANNEL, CARD, key="2")
    table = CARD.but(blocks=(SECTION, TABLE))
    place.slack.faults.refuse("msg_too_long", "chat.postMessage")
    with pytest.raises(SlackRefused):
        await place.outlet.post(CHANNEL, table, key="3")
    assert place.types()[2:] == [["section"], ["section", "table"]]


async def test_a_refusal_is_forgotten_after_a_while_however_many_cards_are_sent(
    place: Place,
) -> None:
    """Slack learns new blocks; a workspace gets them an hour after it last refused them."""
    place.slack.faults.refuse("invalid_blocks", "chat.postMessage")
    await place.outlet.post(CHANNEL, CARD, key="1")
    for n, minutes in enumerate((30, 29, 2)):
        await place.clock.advance(minutes * 60)
        await place.outlet.post(CHANNEL, CARD, key=f"later {n}")
    assert place.types()[-3:] == [["section"], ["section"], ["section", "plan"]]


async def test_where_all_blocks_are_refused_the_text_is_sent(place: Place) -> None:
    """The sentence is whole in itself, so whatever happens to the blocks, it is said."""
    place.slack.faults.refuse("invalid_blocks", "chat.postMessage", times=2)
    await place.outlet.post(CHANNEL, CARD, key="1")
    assert place.types() == [["section", "plan"], ["section"], []]
    assert [message.text for message in place.slack.messages()] == [CARD.text]


@pytest.mark.parametrize(("code", "times"), [("invalid_blocks", 2), ("msg_blocks_too_long", 1)])
async def test_what_is_not_the_newer_blocks_fault_is_not_remembered(
    code: str, times: int, place: Place
) -> None:
    """A mistake of ours, or one long card, does not make every card plain."""
    place.slack.faults.refuse(code, "chat.postMessage", times=times)
    await place.outlet.post(CHANNEL, CARD, key="1")
    await place.outlet.post(CHANNEL, CARD, key="2")
    assert place.types()[-1] == ["section", "plan"]


async def test_a_message_without_classic_blocks_falls_back_to_its_text(place: Place) -> None:
    """There is nothing plainer between."""
    place.slack.faults.refuse("invalid_blocks", "chat.postMessage")
    await place.outlet.post(CHANNEL, HELLO, key="1")
    assert place.types() == [["section"], []]


async def test_an_update_falls_back_as_a_post_does(place: Place) -> None:
    """The memory of a refusal is one."""
    ts = await place.outlet.post(CHANNEL, HELLO, key="1")
    place.slack.faults.refuse("invalid_blocks", "chat.update")
    await place.outlet.update(CHANNEL, ts, CARD)
    await place.outlet.update(CHANNEL, ts, CARD)
    shown = [[b["type"] for b in call["blocks"]] for call in place.sent("chat.update")]
    assert shown == [["section", "plan"], ["section"], ["section"]]


# What goes wrong.


async def test_a_429_says_how_long_to_wait_and_is_not_retried(place: Place) -> None:
    """The outbox decides when to try again."""
    place.slack.faults.rate_limit("chat.postMessage", retry_after=17)
    with pytest.raises(SlackBusy) as caught:
        await place.outlet.post(CHANNEL, HELLO, key="1")
    assert caught.value.retry_after == 17
    assert len(place.sent()) == 1


async def test_an_answer_that_is_lost_leaves_a_doubt_that_a_look_up_clears(place: Place) -> None:
    """The message is there, and is found by its key."""
    place.slack.faults.lose_answer("chat.postMessage")
    with pytest.raises(SlackSilent):
        await place.outlet.post(CHANNEL, HELLO, key="1")
    (posted,) = place.slack.messages()
    assert await place.find("1") == posted.ts


@pytest.mark.parametrize("after", [True, False])
async def test_a_trouble_of_slacks_is_a_doubt(after: bool, place: Place) -> None:  # noqa: FBT001
    """A 5xx does not say whether the message was taken."""
    place.slack.faults.fail("chat.postMessage", after=after)
    with pytest.raises(SlackSilent):
        await place.outlet.post(CHANNEL, HELLO, key="1")
    assert len(place.slack.messages()) == int(after)


@pytest.mark.parametrize("code", ["internal_error", "fatal_error", "service_unavailable"])
async def test_a_trouble_that_slack_names_is_a_doubt_too(code: str, place: Place) -> None:
    """These words of Slack's mean: perhaps."""
    place.slack.faults.refuse(code, "chat.postMessage")
    with pytest.raises(SlackSilent):
        await place.outlet.post(CHANNEL, HELLO, key="1")


@pytest.mark.parametrize("code", ["is_archived", "msg_too_long", "restricted_action"])
async def test_a_refusal_has_slacks_own_word(code: str, place: Place) -> None:
    """Whoever parks the message knows why."""
    place.slack.faults.refuse(code, "chat.postMessage")
    with pytest.raises(SlackRefused) as caught:
        await place.outlet.post(CHANNEL, HELLO, key="1")
    assert caught.value.code == code


async def test_a_channel_without_the_bot_refuses(place: Place) -> None:
    """Slack says which: not in it, or nothing of that name."""
    place.slack.remove_bot("deploys")
    with pytest.raises(SlackRefused) as caught:
        await place.outlet.post(CHANNEL, HELLO, key="1")
    assert caught.value.code == "not_in_channel"


@pytest.mark.parametrize("code", ["invalid_auth", "token_revoked", "account_inactive"])
async def test_a_token_that_is_refused_keeps_the_message_for_later(code: str, place: Place) -> None:
    """A new token sends what is waiting; nothing is lost, and Slack is not pressed."""
    place.slack.faults.refuse(code, "chat.postMessage")
    with pytest.raises(SlackBusy) as caught:
        await place.outlet.post(CHANNEL, HELLO, key="1")
    assert caught.value.retry_after == outgoing.NO_TOKEN_SECONDS
    assert "jobthread check" in str(caught.value)


async def test_a_wrong_token_is_not_shown(place: Place) -> None:
    """Neither by the sentence nor by what lies beneath."""
    wrong = place.to(place.slack.api_url, "xoxb-sEcReT")
    with pytest.raises(SlackBusy) as caught:
        await wrong.post(CHANNEL, HELLO, key="1")
    assert "sEcReT" not in f"{caught.value}{caught.value!r}{caught.value.__cause__}"


async def test_where_nobody_listens_nothing_was_sent(place: Place) -> None:
    """A refused connection leaves no doubt: the same message may be sent again."""
    with pytest.raises(SlackBusy) as caught:
        await place.to("http://127.0.0.1:1/api/").post(CHANNEL, HELLO, key="1")
    assert caught.value.retry_after == outgoing.UNREACHABLE_SECONDS


async def test_an_answer_that_takes_too_long_is_a_doubt(place: Place) -> None:
    """The session's time-out ends the wait."""

    async def never(request: web.Request) -> web.Response:
        await request.loop.create_future()
        raise AssertionError

    app = web.Application()
    app.router.add_post("/api/{method}", never)
    timeout = aiohttp.ClientTimeout(total=0.05)
    async with serve(app) as url, aiohttp.ClientSession(timeout=timeout) as session:
        hasty = Place(place.slack, session, place.clock).to(f"{url}/api/")
        with pytest.raises(SlackSilent):
            await hasty.post(CHANNEL, HELLO, key="1")


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
async def test_an_answer_that_is_not_slacks_is_a_doubt(
    status: int, kind: str, body: str, place: Place
) -> None:
    """A proxy's page refuses no message for ever."""

    async def proxy(request: web.Request) -> web.Response:
        del request
        return web.Response(status=status, content_type=kind, text=body)

    app = web.Application()
    app.router.add_post("/api/{method}", proxy)
    async with serve(app) as url:
        with pytest.raises(SlackSilent):
            await place.to(f"{url}/api/").post(CHANNEL, HELLO, key="1")


# The search for what was sent.


async def test_a_message_is_found_by_its_key_in_the_channel_and_in_its_thread(
    place: Place,
) -> None:
    """Each where it was sent, and nothing under another key."""
    root = await place.outlet.post(CHANNEL, HELLO, key="root")
    reply = await place.outlet.post(CHANNEL, HELLO, key="reply", thread_ts=root)
    assert await place.find("root") == root
    assert await place.find("reply", root) == reply
    assert await place.find("reply") is None
    assert await place.find("other", root) is None


async def test_a_message_is_found_on_a_later_page(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy channel has many messages in a minute; the search has an end all the same."""
    ts = await place.outlet.post(CHANNEL, HELLO, key="mine")
    for number in range(1_100):
        draft = place.slack.workspace.bot_draft(CHANNEL, text=f"other {number}")
        place.slack.workspace.post(draft)
    assert await place.find("mine") == ts
    monkeypatch.setattr(outgoing, "MOST_PAGES", 5)
    assert await place.find("mine") is None


async def test_messages_of_other_apps_are_not_mistaken_for_ours(place: Place) -> None:
    """Metadata of another kind, or of no kind, does not count."""
    for metadata in (None, {"event_type": "other", "event_payload": {"key": "1"}}):
        draft = place.slack.workspace.bot_draft(CHANNEL, text="x", metadata=metadata)
        place.slack.workspace.post(draft)
    assert await place.find("1") is None


async def test_a_message_from_long_before_is_not_searched(place: Place) -> None:
    """It cannot be the one that was just sent; an hour covers a clock that was set wrong."""
    await place.outlet.post(CHANNEL, HELLO, key="1")
    since = place.slack.workspace.clock.now() + timedelta(seconds=3_662)
    assert await place.outlet.find(CHANNEL, "1", thread_ts=None, since=since) is None
    assert await place.find("1")


# response_urls.


async def response_url(place: Place) -> str:
    answer = await place.slack.says("/job")
    assert answer.response_url
    return answer.response_url


async def test_a_response_url_tells_the_asker_alone(place: Place) -> None:
    """In the thread that it belongs to."""
    url = await response_url(place)
    await place.outlet.respond(url, replace_text("psst"), replace=False, thread_ts="1.2")
    whisper = place.slack.ephemerals("ada")[-1]
    assert (whisper.text, whisper.thread_ts) == ("psst", "1.2")
    assert not place.slack.messages()


async def test_the_response_url_of_a_click_replaces_and_deletes_what_was_clicked(
    place: Place,
) -> None:
    """A message for one person can be changed in no other way."""
    url = await response_url(place)
    before = len(place.slack.ephemerals("ada"))
    asked = sentence("one", blocks.button("Again", "run", value="x"))
    await place.outlet.respond(url, asked, replace=False, thread_ts=None)
    clicked = await place.slack.click(place.slack.ephemerals("ada")[-1], "run")
    url = clicked.response_url or ""
    await place.outlet.respond(url, replace_text("two"), replace=True, thread_ts=None)
    assert [m.text for m in place.slack.ephemerals("ada")[before:]] == ["two"]
    await place.outlet.respond(url, None, replace=False, thread_ts=None)
    assert len(place.slack.ephemerals("ada")) == before


async def test_a_response_url_that_is_used_up_refuses(place: Place) -> None:
    """After five answers the asker must be reached in another way."""
    url = await response_url(place)
    for _ in range(5):
        await place.outlet.respond(url, HELLO, replace=False, thread_ts=None)
    with pytest.raises(SlackRefused) as caught:
        await place.outlet.respond(url, HELLO, replace=False, thread_ts=None)
    assert caught.value.code == "response_url_refused"
    assert url not in f"{caught.value}{caught.value!r}"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (429, "", SlackBusy),
        (500, "", SlackSilent),
        (404, '{"ok":false,"error":"used_url"}', SlackRefused),
        (200, '{"ok": false, "error": "expired_url"}', SlackRefused),
    ],
)
async def test_each_answer_of_a_response_url_has_its_meaning(
    status: int, body: str, error: type[Exception], place: Place
) -> None:
    """Busy, in doubt, or over."""

    async def answer(request: web.Request) -> web.Response:
        del request
        return web.Response(status=status, text=body, headers={"Retry-After": "3"})

    app = web.Application()
    app.router.add_post("/", answer)
    async with serve(app) as url:
        with pytest.raises(error):
            await place.outlet.respond(url, HELLO, replace=False, thread_ts=None)


async def test_a_response_url_falls_back_to_classic_blocks(place: Place) -> None:
    """As every other way out does."""
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
            await place.outlet.respond(url, CARD, replace=False, thread_ts=None)
    assert seen == [["section", "plan"], ["section"], ["section"]]


async def test_a_response_url_that_nobody_serves_sends_nothing(place: Place) -> None:
    """No connection, no doubt."""
    with pytest.raises(SlackBusy):
        await place.outlet.respond("http://127.0.0.1:1/", HELLO, replace=False, thread_ts=None)
