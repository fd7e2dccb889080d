"""A fake inbox worker, and the bot's HTTP server between it and a local Slack."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.commands.channel_settings import ChannelSettingsCommands
from bot.commands.permissions import Permissions
from bot.notifications.notifier import Notifier
from bot.providers.connections import Connections
from bot.sdk.errors import StoreError
from bot.sdk.testing import ManualClock
from bot.settings import WebSettings
from bot.slack.app import bolt_app
from bot.slack.http_server import EVENTS_PATH, HttpServer
from bot.slack.job_options import JobOptions
from bot.slack.settings_flow import SettingsModalFlow
from bot.slack.users import UserCache
from bot.slack.web_api import WebApiTransport
from bot.store import Store
from localslack import LocalSlack, Timing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from slack_bolt.async_app import AsyncApp

    from bot.commands.request import Request

IDENTITY = {"ok": True, "team_id": "T0PLAYGRND", "user_id": "U0JOBTHREAD", "bot_id": "B0JOBTHREAD"}


@dataclass
class FakeInboxWorker:
    """Enqueues requests as the real inbox worker does: each once, none while its store is full."""

    enqueued: dict[str, Request] = field(default_factory=dict)
    failures_left: int = 0  # how many more requests find the store full

    async def enqueue(self, workspace: str, key: str, ask: Request) -> bool:
        """Keep a request; raises StoreError."""
        assert workspace == IDENTITY["team_id"]
        if self.failures_left:
            self.failures_left -= 1
            raise StoreError("The disk under the database is full.")
        return self.enqueued.setdefault(key, ask) is ask


@dataclass
class HttpHarness:
    """A local Slack in HTTP mode, the bot's server, and the inbox worker behind it."""

    slack: LocalSlack
    web: HttpServer
    inbox: FakeInboxWorker
    url: str  # of the bot's server


@pytest.fixture
def inbox() -> FakeInboxWorker:
    """A fake inbox worker without requests."""
    return FakeInboxWorker()


@pytest.fixture
async def harness(inbox: FakeInboxWorker) -> AsyncIterator[HttpHarness]:
    """The bot's HTTP server, connected to a local Slack."""
    async with http_harness(inbox) as opened:
        yield opened


@pytest.fixture
def app_for(inbox: FakeInboxWorker) -> Callable[[AsyncWebClient, str | None], AsyncApp]:
    """Make the Bolt app in front of the inbox worker, for a client and a signing secret."""
    return lambda client, secret: _app(client, secret, inbox)


@pytest.fixture
def harness_for(
    inbox: FakeInboxWorker,
) -> Callable[[str], AbstractAsyncContextManager[HttpHarness]]:
    """Make a harness with another signing secret."""
    return lambda secret: http_harness(inbox, secret)


def _app(client: AsyncWebClient, secret: str | None, inbox: FakeInboxWorker) -> AsyncApp:
    clock = ManualClock()
    return bolt_app(
        client=client,
        identity=IDENTITY,
        signing_secret=secret,
        inbox_worker=inbox,  # type: ignore[arg-type]
        job_options=JobOptions(Connections([]), clock),
        settings_modal_flow=_settings_modal(client, inbox, clock),
        clock=clock,
    )


def _settings_modal(
    client: AsyncWebClient, inbox: FakeInboxWorker, clock: ManualClock
) -> SettingsModalFlow:
    """Return the settings modal's handler, with a store that is not open."""
    api = WebApiTransport(client, client.session, clock)  # type: ignore[arg-type]
    directory = UserCache(api, clock)
    negotiation = ChannelSettingsCommands(
        store=Store("sqlite+aiosqlite://"),
        notifier=Notifier(),
        permissions=Permissions("members", directory),
        command="/job",
    )
    return SettingsModalFlow(
        api=api,
        inbox_worker=inbox,  # type: ignore[arg-type]
        settings_commands=negotiation,
        users=directory,
        clock=clock,
    )


@asynccontextmanager
async def http_harness(
    inbox: FakeInboxWorker, secret: str = LocalSlack.signing_secret
) -> AsyncIterator[HttpHarness]:
    """Open the bot's server, and a local Slack that sends to it."""

    async def healthy() -> bool:
        return True

    async def status() -> NoReturn:
        raise StoreError("There is no store here.")

    async with aiohttp.ClientSession() as session:
        # Nothing listens there: enqueueing makes no call to Slack.
        client = AsyncWebClient("xoxb-1", base_url="http://127.0.0.1:1/", session=session)
        web = HttpServer(WebSettings(port=0), _app(client, secret, inbox), healthy, status)
        await web.open()
        url = f"http://127.0.0.1:{web.port}"
        timing = Timing(ack_seconds=2, retry_seconds=(0, 0, 0))
        async with LocalSlack(request_url=url + EVENTS_PATH, timing=timing) as slack:
            yield HttpHarness(slack, web, inbox, url)
        await web.close()
