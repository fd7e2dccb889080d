"""The page's JSON and its stream, and who may use them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import LocalSlack

pytestmark = pytest.mark.anyio

BUTTON = {"type": "button", "action_id": "refresh", "text": {"type": "plain_text", "text": "Go"}}
BLOCKS = [{"type": "actions", "block_id": "deeds", "elements": [BUTTON]}]
VIEW = {"type": "modal", "title": {"type": "plain_text", "text": "Ask"}, "blocks": []}


@pytest.fixture
async def page(slack: LocalSlack) -> AsyncIterator[ClientSession]:
    async with ClientSession(slack.url) as session:
        yield session


async def tell(page: ClientSession, path: str, **given: Any) -> dict:
    async with page.post(path, json=given) as answer:
        assert answer.status == 200
        return await answer.json()


async def state(page: ClientSession) -> dict:
    async with page.get("/page/state") as answer:
        return await answer.json()


async def test_the_page_sees_the_whole_workspace(page: ClientSession) -> None:
    """Team, people, channels and messages come in one answer."""
    seen = await state(page)
    assert seen["team"]["name"] == "Playground"
    assert (seen["me"]["name"], seen["bot"]["connected"]) == ("ada", False)
    names = [(c["name"], c["is_im"], c["is_member"]) for c in seen["channels"]]
    assert ("private-ops", False, False) in names
    assert ("jobthread", True, True) in names
    assert (seen["messages"], seen["views"], seen["suggestions"]) == ([], [], [])


async def test_what_is_said_on_the_page_reaches_the_app(app: Any, page: ClientSession) -> None:
    """A typed mention is a message in the channel and an event for the app."""
    assert await tell(page, "/page/say", channel="C0DEPLOYS", text="@jobthread J1") == {"ok": True}
    assert app.got[0].payload["event"]["type"] == "app_mention"
    [message] = (await state(page))["messages"]
    assert (message["user"], message["reply_count"], message["edited"]) == ("U0ADA", 0, False)


async def test_only_my_ephemerals_are_shown(web: AsyncWebClient, page: ClientSession) -> None:
    """What is whispered to others stays with them."""
    for user in ("U0ADA", "U0BEN"):
        await web.chat_postEphemeral(channel="C0DEPLOYS", user=user, text=user)
    assert [m["text"] for m in (await state(page))["messages"]] == ["U0ADA"]


async def test_the_stream_tells_of_every_change(web: AsyncWebClient, page: ClientSession) -> None:
    """New, changed and deleted messages are pushed as they happen."""
    async with page.ws_connect("/page/events") as stream:
        posted = await web.chat_postMessage(channel="C0DEPLOYS", text="a")
        place = {"channel": "C0DEPLOYS", "ts": posted["ts"]}
        await web.chat_update(text="b", **place)
        await web.chat_delete(**place)
        pushed = [await stream.receive_json() for _ in range(3)]
    assert [(p["type"], p.get("message", {}).get("text")) for p in pushed] == [
        ("message", "a"),
        ("message", "b"),
        ("deleted", None),
    ]
    assert pushed[2] == {"type": "deleted", **place}


async def test_the_stream_keeps_what_is_whispered_to_others(
    web: AsyncWebClient, page: ClientSession
) -> None:
    """Somebody else's ephemeral message is not pushed to me."""
    async with page.ws_connect("/page/events") as stream:
        for user in ("U0BEN", "U0ADA"):
            await web.chat_postEphemeral(channel="C0DEPLOYS", user=user, text=user)
        assert (await stream.receive_json())["message"]["text"] == "U0ADA"


async def test_the_stream_tells_when_the_bot_comes_and_goes(
    slack: LocalSlack, page: ClientSession, join: Any
) -> None:
    """The page can show whether anybody is there to answer."""
    async with page.ws_connect("/page/events") as stream:
        await join()
        assert await stream.receive_json() == {"type": "bot", "connected": True}
        slack.cut()
        assert await stream.receive_json() == {"type": "bot", "connected": False}


async def test_a_click_on_the_page_is_a_click(
    app: Any, web: AsyncWebClient, page: ClientSession
) -> None:
    """The page names the element, and the app gets Slack's payload."""
    posted = await web.chat_postMessage(channel="C0DEPLOYS", text="card", blocks=BLOCKS)
    action = {"type": "button", "block_id": "deeds", "action_id": "refresh"}
    place = {"channel": "C0DEPLOYS", "message_ts": posted["ts"]}
    assert await tell(page, "/page/click", action=action, **place) == {"ok": True}
    assert app.got[0].payload["actions"][0]["action_id"] == "refresh"


async def test_a_click_without_an_app_is_explained(
    web: AsyncWebClient, page: ClientSession
) -> None:
    """The reader gets a sentence."""
    posted = await web.chat_postMessage(channel="C0DEPLOYS", text="card", blocks=BLOCKS)
    place = {"channel": "C0DEPLOYS", "message_ts": posted["ts"]}
    failed = await tell(page, "/page/click", action={"action_id": "refresh"}, **place)
    gone = await tell(page, "/page/click", action={}, channel="C0DEPLOYS", message_ts="1.0")
    assert failed["error"] == "The app is not connected, so nothing happened."
    assert gone == {"ok": False, "error": "This message was deleted."}


async def test_a_modal_is_shown_submitted_and_closed(
    slack: LocalSlack, app: Any, web: AsyncWebClient, page: ClientSession
) -> None:
    """The page sees the view with its id, and what the app thinks of the submission."""
    async with page.ws_connect("/page/events") as stream:
        trigger = (await slack.shortcut("show")).trigger_id
        await web.views_open(trigger_id=trigger, view=VIEW)
        shown = (await stream.receive_json())["view"]
        app.replies = lambda _: {"response_action": "errors", "errors": {"a": "No such job."}}
        refused = await tell(page, "/page/submit", view_id=shown["id"], values={})
        await tell(page, "/page/close", view_id=shown["id"])
        closed = await stream.receive_json()
    assert refused["error"] == "No such job."
    assert closed == {"type": "view_closed", "id": shown["id"]}


async def test_a_shortcut_on_the_page_is_a_shortcut(
    app: Any, web: AsyncWebClient, page: ClientSession
) -> None:
    """The message goes along."""
    posted = await web.chat_postMessage(channel="C0DEPLOYS", text="card")
    place = {"channel": "C0DEPLOYS", "message_ts": posted["ts"]}
    assert await tell(page, "/page/shortcut", callback_id="show_job", **place) == {"ok": True}
    assert app.got[0].payload["message"]["text"] == "card"


async def test_a_shortcut_from_anywhere_needs_no_message(app: Any, page: ClientSession) -> None:
    """The page names the shortcut alone."""
    assert await tell(page, "/page/shortcut", callback_id="ask_job") == {"ok": True}
    assert app.got[0].payload["type"] == "shortcut"


SELECT = {"type": "external_select", "action_id": "job"}
OPTIONS = [{"text": {"type": "plain_text", "text": "deploy-api"}, "value": "JOB1"}]


@pytest.fixture
async def asked(slack: LocalSlack, web: AsyncWebClient) -> dict:
    """Return where the page's reader may type: a modal with a select."""
    label = {"type": "plain_text", "text": "Job"}
    block = {"type": "input", "block_id": "job", "label": label, "element": SELECT}
    more = {"blocks": [block], "submit": {"type": "plain_text", "text": "Ask"}}
    trigger = slack.views.triggers.issue("U0ADA")
    await web.views_open(trigger_id=trigger, view={**VIEW, **more})
    return {"view_id": slack.modals()[0].id, "action_id": "job", "block_id": "job"}


async def test_what_is_typed_on_the_page_is_answered_by_the_app(
    app: Any, page: ClientSession, asked: dict
) -> None:
    """Its options come back as they are, in their groups if they have any."""
    group = {"label": {"type": "plain_text", "text": "deploys"}, "options": OPTIONS}
    for given in ({"options": OPTIONS}, {"option_groups": [group]}):
        app.replies = lambda _, given=given: given
        offered = await tell(page, "/page/options", value="de", **asked)
        assert offered == {"ok": True, "options": [], "option_groups": [], **given}
    payload = app.got[-1].payload
    assert (payload["type"], payload["value"]) == ("block_suggestion", "de")


async def test_an_app_that_does_not_answer_what_is_typed_is_told_of(
    page: ClientSession, asked: dict
) -> None:
    """The reader gets a sentence."""
    offered = await tell(page, "/page/options", value="de", **asked)
    assert offered["error"] == "The app is not connected, so nothing happened."
    assert (offered["options"], offered["option_groups"]) == ([], [])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://elsewhere.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "elsewhere.test"}, 403),
        ({}, 200),
    ],
)
@pytest.mark.parametrize("path", ["/page/state", "/api/api.test"])
async def test_another_site_may_not_use_it(
    page: ClientSession, path: str, headers: dict[str, str], status: int
) -> None:
    """A foreign Origin or Host is turned away, by whichever door."""
    async with page.get(path, headers=headers) as answer:
        assert answer.status == status


async def test_the_page_runs_nothing_from_elsewhere(page: ClientSession) -> None:
    """Its content policy names itself only, and its folder is its own."""
    async with page.get("/") as answer:
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
    async with page.get("/assets/..%2f..%2fserver.py") as answer:
        assert answer.status == 404


async def test_it_listens_on_loopback_only(slack: LocalSlack) -> None:
    """Nobody else on the network can reach it."""
    assert slack.url.startswith("http://127.0.0.1:")
