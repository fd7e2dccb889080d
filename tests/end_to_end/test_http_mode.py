"""The whole path in HTTP mode: Slack sends signed requests to the bot's port."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot.app import Bot
from bot.sdk.testing import ManualClock, serve
from bot.slack.http_server import EVENTS_PATH, HEALTH_PATH
from localslack import LocalSlack
from plugins.servicestage.script import JobScript
from plugins.servicestage.simulator import Simulator
from tests.harness import BotHarness, settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"


def free_port() -> int:
    """Return an unused port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BotHarness]:
    """A bot in HTTP mode, called by a local Slack."""
    clock, port = ManualClock(), free_port()
    simulator = Simulator(clock)
    address = f"http://127.0.0.1:{port}{EVENTS_PATH}"
    async with LocalSlack(clock=clock, request_url=address) as slack, serve(simulator.app) as url:
        settings = settings_for(slack, url, tmp_path)
        http: dict[str, Any] = {"mode": "http", "signing_secret": slack.signing_secret}
        settings = settings.model_copy(
            update={
                "slack": type(settings.slack)(
                    api_url=slack.api_url, bot_token=slack.bot_token, **http
                ),
                "web": type(settings.web)(port=port),
            }
        )
        async with Bot(settings, clock=clock) as bot:
            yield BotHarness(slack, simulator, clock, settings, bot)


async def test_signed_command_gets_a_card_and_thread_replies(harness: BotHarness) -> None:
    """Everything works as in Socket Mode."""
    harness.servicestage.add(JobScript(ID, queued_seconds=0, final_status="RUNNING"))
    card = await harness.request_card(f"/job deploys:{ID}")
    harness.servicestage.finish(ID)
    await harness.advance_poll()
    await harness.wait_for_reply(card, "succeeded")


async def test_events_and_clicks_use_the_same_url(harness: BotHarness) -> None:
    """One URL serves commands, events and clicks."""
    harness.servicestage.add(JobScript(ID, queued_seconds=0, final_status="RUNNING"))
    card = await harness.request_card(f"@jobthread {ID}")
    await harness.slack.click(card, "unfollow")
    await harness.wait_for_ephemeral("no longer followed")


async def test_slack_can_verify_the_request_url(harness: BotHarness) -> None:
    """The response contains the challenge."""
    assert await harness.slack.verify_url()


async def test_unsigned_request_is_rejected(harness: BotHarness) -> None:
    """Its status is 401."""
    address = f"http://127.0.0.1:{harness.bot.http_server.port}{EVENTS_PATH}"
    async with (
        aiohttp.ClientSession() as session,
        session.post(address, data={"command": "/job", "text": "help"}) as answer,
    ):
        assert answer.status == 401


async def test_health_endpoint_is_served(harness: BotHarness) -> None:
    """A container's health check can call it."""
    address = f"http://127.0.0.1:{harness.bot.http_server.port}{HEALTH_PATH}"
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        assert await answer.json() == {"ok": True}
