"""A desk that remembers, and the bot's door between it and a local Slack."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.channels.negotiation import Negotiation
from bot.channels.notices import Notices
from bot.errors import StoreError
from bot.playground import LocalSlack
from bot.playground.server import Timing
from bot.providers.connections import Connections
from bot.rights import Rights
from bot.settings import WebSettings
from bot.slack.app import bolt_app
from bot.slack.directory import Directory
from bot.slack.outgoing import WebOutlet
from bot.slack.settings_talk import SettingsTalk
from bot.slack.suggestions import Suggestions
from bot.slack.web import EVENTS_PATH, Web
from bot.store import Store
from bot.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from slack_bolt.async_app import AsyncApp

    from bot.asks import Ask

IDENTITY = {"ok": True, "team_id": "T0PLAYGRND", "user_id": "U0JOBTHREAD", "bot_id": "B0JOBTHREAD"}


@dataclass
class Desk:
    """Takes questions as the real one does: each once, and none while its store is full."""

    taken: dict[str, Ask] = field(default_factory=dict)
    refuses: int = 0  # how many more questions find the store full

    async def take(self, workspace: str, key: str, ask: Ask) -> bool:
        """Remember a question; raises StoreError."""
        assert workspace == IDENTITY["team_id"]
        if self.refuses:
            self.refuses -= 1
            raise StoreError("The disk under the database is full.")
        return self.taken.setdefault(key, ask) is ask


@dataclass
class Door:
    """A local Slack in HTTP mode, the bot's server, and the desk behind it."""

    slack: LocalSlack
    web: Web
    desk: Desk
    url: str  # of the bot's server


@pytest.fixture
def desk() -> Desk:
    """A desk that nobody has come to."""
    return Desk()


@pytest.fixture
async def door(desk: Desk) -> AsyncIterator[Door]:
    """The bot's door in HTTP mode."""
    async with at_the_door(desk) as made:
        yield made


@pytest.fixture
def app_for(desk: Desk) -> Callable[[AsyncWebClient, str | None], AsyncApp]:
    """Make the Bolt app before the desk, for a client and a signing secret."""
    return lambda client, secret: _app(client, secret, desk)


@pytest.fixture
def hanging_door(desk: Desk) -> Callable[[str], AbstractAsyncContextManager[Door]]:
    """Make a door whose signing secret is this one."""
    return lambda secret: at_the_door(desk, secret)


def _app(client: AsyncWebClient, secret: str | None, desk: Desk) -> AsyncApp:
    clock = ManualClock()
    return bolt_app(
        client=client,
        identity=IDENTITY,
        signing_secret=secret,
        desk=desk,  # type: ignore[arg-type]
        suggestions=Suggestions(Connections([]), clock),
        settings=_talk(client, desk, clock),
        clock=clock,
    )


def _talk(client: AsyncWebClient, desk: Desk, clock: ManualClock) -> SettingsTalk:
    """Return what talks about contracts, before a store that is not open."""
    api = WebOutlet(client, client.session, clock)  # type: ignore[arg-type]
    directory = Directory(api, clock)
    negotiation = Negotiation(
        store=Store("sqlite+aiosqlite://"),
        notices=Notices(),
        rights=Rights("members", directory),
        command="/job",
    )
    return SettingsTalk(
        api=api,
        desk=desk,  # type: ignore[arg-type]
        negotiation=negotiation,
        directory=directory,
        clock=clock,
    )


@asynccontextmanager
async def at_the_door(desk: Desk, secret: str = LocalSlack.signing_secret) -> AsyncIterator[Door]:
    """Open the bot's server, and a Slack that sends to it."""

    async def well() -> bool:
        return True

    async def standing() -> NoReturn:
        raise StoreError("There is no store here.")

    async with aiohttp.ClientSession() as session:
        # Nobody answers there: the door asks Slack nothing.
        client = AsyncWebClient("xoxb-1", base_url="http://127.0.0.1:1/", session=session)
        web = Web(WebSettings(port=0), _app(client, secret, desk), well, standing)
        await web.open()
        url = f"http://127.0.0.1:{web.port}"
        timing = Timing(ack_seconds=2, retry_seconds=(0, 0, 0))
        async with LocalSlack(request_url=url + EVENTS_PATH, timing=timing) as slack:
            yield Door(slack, web, desk, url)
        await web.close()
