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
from tests.bot.conftest import Stage, settings_for

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
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
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
            yield Stage(slack, simulator, clock, settings, bot)


async def test_signed_command_gets_a_card_and_thread_replies(stage: Stage) -> None:
    """Everything works as in Socket Mode."""
    stage.servicestage.add(JobScript(ID, queued_seconds=0, ends="RUNNING"))
    card = await stage.asks(f"/job deploys:{ID}")
    stage.servicestage.finish(ID)
    await stage.polls()
    await stage.replied(card, "succeeded")


async def test_events_and_clicks_use_the_same_url(stage: Stage) -> None:
    """One URL serves commands, events and clicks."""
    stage.servicestage.add(JobScript(ID, queued_seconds=0, ends="RUNNING"))
    card = await stage.asks(f"@jobthread {ID}")
    await stage.slack.click(card, "unfollow")
    await stage.whispered("no longer followed")


async def test_slack_can_verify_the_request_url(stage: Stage) -> None:
    """The response contains the challenge."""
    assert await stage.slack.verify_url()


async def test_unsigned_request_is_rejected(stage: Stage) -> None:
    """Its status is 401."""
    address = f"http://127.0.0.1:{stage.bot.web.port}{EVENTS_PATH}"
    async with (
        aiohttp.ClientSession() as session,
        session.post(address, data={"command": "/job", "text": "help"}) as answer,
    ):
        assert answer.status == 401


async def test_health_endpoint_is_served(stage: Stage) -> None:
    """A container's health check can call it."""
    address = f"http://127.0.0.1:{stage.bot.web.port}{HEALTH_PATH}"
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        assert await answer.json() == {"ok": True}
