"""A local Slack, a minimal app, and the page in a real browser."""

from __future__ import annotations

import os
import shutil
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession, WSMsgType
from anyio import create_task_group
from playwright.async_api import async_playwright, expect
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Locator, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SUGGESTIONS = (
    {"title": "A deploy", "text": "@jobthread deploys:JOB1", "hint": "takes two minutes"},
    {"title": "Help", "text": "/job help", "hint": "what I can do"},
)

Json = dict[str, Any]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Use one event loop for the module, so that its tests share one browser."""
    return "asyncio"


@pytest.fixture(scope="module")
def chromium() -> str:
    """Return the path of a browser on this machine."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found:
        return found
    sentence = "There is no Chromium here; install one, for example: apt install chromium"
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


@dataclass
class App:
    """A minimal app: it acknowledges and records every envelope."""

    client: AsyncWebClient
    heard: list[Json] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)  # for the next submissions
    offers: dict[str, Json] = field(default_factory=dict)  # by what is typed

    async def listen(self, address: str) -> None:
        """Serve a Socket Mode connection."""
        async with ClientSession() as session, session.ws_connect(address) as socket:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    await self._answer(socket, frame.json())

    async def _answer(self, socket: Any, envelope: Json) -> None:
        if "envelope_id" not in envelope:
            return
        self.heard.append(envelope["payload"])
        answer: Json = {"envelope_id": envelope["envelope_id"]}
        if self.errors and envelope["payload"]["type"] == "view_submission":
            answer["payload"] = {"response_action": "errors", "errors": self.errors}
        if envelope["payload"]["type"] == "block_suggestion":
            answer["payload"] = self.offers.get(envelope["payload"]["value"], {"options": []})
        await socket.send_json(answer)

    def last(self, kind: str) -> Json | None:
        """Return the newest payload of this type."""
        return next((one for one in reversed(self.heard) if one.get("type") == kind), None)


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    """Serve a workspace."""
    async with LocalSlack(suggestions=SUGGESTIONS) as slack:
        yield slack


@asynccontextmanager
async def connected(slack: LocalSlack) -> AsyncIterator[App]:
    """Connect an app within the block."""
    app = App(AsyncWebClient(token=slack.bot_token, base_url=slack.api_url))
    async with create_task_group() as tasks:
        tasks.start_soon(app.listen, slack.sockets.issue_url())
        await slack.until(lambda: slack.connected)
        yield app
        tasks.cancel_scope.cancel()


@pytest.fixture
async def app(slack: LocalSlack) -> AsyncIterator[App]:
    """Connect the app."""
    async with connected(slack) as app:
        yield app


@pytest.fixture(scope="module")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """Start one browser for the module."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        await browser.close()


@pytest.fixture
async def page(slack: LocalSlack, browser: Browser) -> AsyncIterator[Page]:
    """Open the page; at the end, fail on console errors and on requests to other hosts."""
    errors: list[str] = []
    addresses: list[str] = []
    page = await browser.new_page(viewport={"width": 1280, "height": 800})
    page.on("console", lambda entry: errors.append(entry.text) if entry.type == "error" else 0)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: addresses.append(request.url))
    await page.goto(slack.url)
    await expect(page.get_by_test_id("composer")).to_be_visible()
    yield page
    await page.close()
    assert errors == []
    assert [address for address in addresses if not address.startswith(slack.url)] == []


def button(name: str, action_id: str, **more: Any) -> Json:
    """Return a button."""
    text = {"type": "plain_text", "text": name}
    return {"type": "button", "text": text, "action_id": action_id, "value": "JOB1", **more}


def card(status: str, *buttons: Json) -> list[Json]:
    """Return the blocks of a job card."""
    return [
        {"type": "header", "text": {"type": "plain_text", "text": "deploy-api"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": status}},
        {"type": "actions", "block_id": "deeds", "elements": list(buttons)},
    ]


def message(page: Page, ts: str) -> Locator:
    """Return the message in the channel, not the one in the thread."""
    return page.get_by_test_id("channel").locator(f'[data-testid="message"][data-ts="{ts}"]')


async def posted(app: App, text: str, **more: Any) -> str:
    """Post to #deploys as the bot; return the ts."""
    answer = await app.client.chat_postMessage(channel="C0DEPLOYS", text=text, **more)
    return str(answer["ts"])


def option(text: str, value: str) -> Json:
    """Return an option of a select."""
    return {"text": {"type": "plain_text", "text": text, "emoji": False}, "value": value}
