"""The page's JSON API, its event stream, and the request guard."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack

pytestmark = pytest.mark.anyio

BUTTON = {"type": "button", "action_id": "refresh", "text": {"type": "plain_text", "text": "Go"}}
BLOCKS = [{"type": "actions", "block_id": "actions", "elements": [BUTTON]}]
VIEW = {"type": "modal", "title": {"type": "plain_text", "text": "Ask"}, "blocks": []}


@pytest.fixture
async def page(slack: LocalSlack) -> AsyncIterator[ClientSession]:
    async with ClientSession(slack.url) as session:
        yield session


async def post(page: ClientSession, path: str, **body: Any) -> dict:
    async with page.post(path, json=body) as answer:
        assert answer.status == 200
        return await answer.json()


async def state(page: ClientSession) -> dict:
    async with page.get("/page/state") as answer:
        return await answer.json()


async def test_state_contains_the_whole_workspace(page: ClientSession) -> None:
    """Team, users, channels and messages come in one response."""
    shown = await state(page)
    assert shown["team"]["name"] == "Playground"
    assert (shown["me"]["name"], shown["bot"]["connected"]) == ("ada", False)
    names = [(c["name"], c["is_im"], c["is_member"]) for c in shown["channels"]]
    assert ("private-ops", False, False) in names
    assert ("jobthread", True, True) in names
    assert (shown["messages"], shown["views"], shown["suggestions"]) == ([], [], [])


async def test_message_typed_on_the_page_reaches_the_app(app: Any, page: ClientSession) -> None:
    """A typed mention is a message in the channel and an event for the app."""
    assert await post(page, "/page/say", channel="C0DEPLOYS", text="@jobthread J1") == {"ok": True}
    assert app.got[0].payload["event"]["type"] == "app_mention"
    [message] = (await state(page))["messages"]
    assert (message["user"], message["reply_count"], message["edited"]) == ("U0ADA", 0, False)


async def test_state_contains_only_own_ephemeral_messages(
    web: AsyncWebClient, page: ClientSession
) -> None:
    """Ephemeral messages to other users are left out."""
    for user in ("U0ADA", "U0BEN"):
        await web.chat_postEphemeral(channel="C0DEPLOYS", user=user, text=user)
    assert [m["text"] for m in (await state(page))["messages"]] == ["U0ADA"]


async def test_event_stream_contains_every_change(web: AsyncWebClient, page: ClientSession) -> None:
    """New, edited and deleted messages are pushed in order."""
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


async def test_event_stream_omits_ephemerals_of_other_users(
    web: AsyncWebClient, page: ClientSession
) -> None:
    """Another user's ephemeral message is not pushed."""
    async with page.ws_connect("/page/events") as stream:
        for user in ("U0BEN", "U0ADA"):
            await web.chat_postEphemeral(channel="C0DEPLOYS", user=user, text=user)
        assert (await stream.receive_json())["message"]["text"] == "U0ADA"


async def test_event_stream_reports_the_bots_connection(
    slack: LocalSlack, page: ClientSession, join: Any
) -> None:
    """A change of the bot's connection is pushed."""
    async with page.ws_connect("/page/events") as stream:
        await join()
        assert await stream.receive_json() == {"type": "bot", "connected": True}
        slack.cut()
        assert await stream.receive_json() == {"type": "bot", "connected": False}


async def test_click_on_the_page_reaches_the_app(
    app: Any, web: AsyncWebClient, page: ClientSession
) -> None:
    """The page names the element, and the app gets Slack's payload."""
    posted = await web.chat_postMessage(channel="C0DEPLOYS", text="card", blocks=BLOCKS)
    action = {"type": "button", "block_id": "actions", "action_id": "refresh"}
    place = {"channel": "C0DEPLOYS", "message_ts": posted["ts"]}
    assert await post(page, "/page/click", action=action, **place) == {"ok": True}
    assert app.got[0].payload["actions"][0]["action_id"] == "refresh"


async def test_click_without_an_app_returns_an_error(
    web: AsyncWebClient, page: ClientSession
) -> None:
    """The error is a sentence for the user of the page."""
    posted = await web.chat_postMessage(channel="C0DEPLOYS", text="card", blocks=BLOCKS)
    place = {"channel": "C0DEPLOYS", "message_ts": posted["ts"]}
    failed = await post(page, "/page/click", action={"action_id": "refresh"}, **place)
    gone = await post(page, "/page/click", action={}, channel="C0DEPLOYS", message_ts="1.0")
    assert failed["error"] == "The app is not connected, so nothing happened."
    assert gone == {"ok": False, "error": "This message was deleted."}


async def test_modal_is_shown_submitted_and_closed(
    slack: LocalSlack, app: Any, web: AsyncWebClient, page: ClientSession
) -> None:
    """The page gets the view with its id, and the app's errors."""
    async with page.ws_connect("/page/events") as stream:
        trigger = (await slack.shortcut("show")).trigger_id
        await web.views_open(trigger_id=trigger, view=VIEW)
        shown = (await stream.receive_json())["view"]
        app.replies = lambda _: {"response_action": "errors", "errors": {"a": "No such job."}}
        refused = await post(page, "/page/submit", view_id=shown["id"], values={})
        await post(page, "/page/close", view_id=shown["id"])
        closed = await stream.receive_json()
    assert refused["error"] == "No such job."
    assert closed == {"type": "view_closed", "id": shown["id"]}


async def test_message_shortcut_reaches_the_app(
    app: Any, web: AsyncWebClient, page: ClientSession
) -> None:
    """The payload contains the message."""
    posted = await web.chat_postMessage(channel="C0DEPLOYS", text="card")
    place = {"channel": "C0DEPLOYS", "message_ts": posted["ts"]}
    assert await post(page, "/page/shortcut", callback_id="show_job", **place) == {"ok": True}
    assert app.got[0].payload["message"]["text"] == "card"


async def test_global_shortcut_needs_no_message(app: Any, page: ClientSession) -> None:
    """The page names only the shortcut."""
    assert await post(page, "/page/shortcut", callback_id="ask_job") == {"ok": True}
    assert app.got[0].payload["type"] == "shortcut"


SELECT = {"type": "external_select", "action_id": "job"}
OPTIONS = [{"text": {"type": "plain_text", "text": "deploy-api"}, "value": "JOB1"}]


@pytest.fixture
async def select(slack: LocalSlack, web: AsyncWebClient) -> dict:
    """Return the address of an external select in an open modal."""
    label = {"type": "plain_text", "text": "Job"}
    block = {"type": "input", "block_id": "job", "label": label, "element": SELECT}
    more = {"blocks": [block], "submit": {"type": "plain_text", "text": "Ask"}}
    trigger = slack.views.triggers.issue("U0ADA")
    await web.views_open(trigger_id=trigger, view={**VIEW, **more})
    return {"view_id": slack.modals()[0].id, "action_id": "job", "block_id": "job"}


async def test_app_suggests_options_for_typed_text(
    app: Any, page: ClientSession, select: dict
) -> None:
    """The page gets the options as the app sent them, with their groups if any."""
    group = {"label": {"type": "plain_text", "text": "deploys"}, "options": OPTIONS}
    for response in ({"options": OPTIONS}, {"option_groups": [group]}):
        app.replies = lambda _, response=response: response
        offered = await post(page, "/page/options", value="de", **select)
        assert offered == {"ok": True, "options": [], "option_groups": [], **response}
    payload = app.got[-1].payload
    assert (payload["type"], payload["value"]) == ("block_suggestion", "de")


async def test_missing_suggestions_return_an_error(page: ClientSession, select: dict) -> None:
    """The error is a sentence for the user of the page."""
    offered = await post(page, "/page/options", value="de", **select)
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
async def test_other_sites_are_rejected(
    page: ClientSession, path: str, headers: dict[str, str], status: int
) -> None:
    """A foreign Origin or Host is rejected on the page and on the Web API."""
    async with page.get(path, headers=headers) as answer:
        assert answer.status == status


async def test_page_loads_only_its_own_files(page: ClientSession) -> None:
    """The content policy allows only the server itself; paths outside `assets` do not exist."""
    async with page.get("/") as answer:
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
    async with page.get("/assets/..%2f..%2fserver.py") as answer:
        assert answer.status == 404


async def test_server_listens_on_loopback_only(slack: LocalSlack) -> None:
    """Other machines on the network cannot connect."""
    assert slack.url.startswith("http://127.0.0.1:")
