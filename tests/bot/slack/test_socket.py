"""Socket Mode, kept alive: Slack's own client against a local Slack."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import SystemClock
from bot.errors import SlackRefused
from bot.playground import LocalSlack
from bot.playground.server import Timing
from bot.slack import socket
from bot.slack.socket import Socket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.bot.slack.conftest import Desk

    Plugged = Callable[..., Any]

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again soon."""
    monkeypatch.setattr(socket, "PING_SECONDS", 0.05)
    monkeypatch.setattr(socket, "WATCH_SECONDS", 0.01)


@pytest.fixture
def plugged(app_for: Any) -> Plugged:
    """Open a socket to a Slack; `plugged(slack)` is a context."""

    @asynccontextmanager
    async def plug(slack: LocalSlack, token: str = LocalSlack.app_token) -> AsyncIterator[Socket]:
        async with aiohttp.ClientSession() as session:
            client = AsyncWebClient(slack.bot_token, base_url=slack.api_url, session=session)
            made = Socket(app_for(client, None), token, client, SystemClock())
            await made.open()
            try:
                yield made
            finally:
                await made.close()

    return plug


async def test_a_question_comes_through_the_socket_and_is_acknowledged(
    plugged: Plugged, desk: Desk
) -> None:
    """As it would through HTTP."""
    async with LocalSlack() as slack, plugged(slack) as connection:
        await connection.wait()
        assert await connection.connected()
        assert (await slack.says("/job deploys:JOB1")).ok
    assert len(desk.taken) == 1


async def test_an_event_that_cannot_be_stored_is_sent_again(plugged: Plugged, desk: Desk) -> None:
    """Without an acknowledgement Slack repeats it, and then there is room."""
    desk.refuses = 1
    timing = Timing(ack_seconds=0.1, retry_seconds=(0,))
    async with LocalSlack(timing=timing) as slack, plugged(slack) as connection:
        await connection.wait()
        assert not (await slack.says("@jobthread deploys:JOB1")).ok
        await slack.until(lambda: desk.taken)


async def test_after_a_handshake_that_failed_a_new_ticket_is_taken(plugged: Plugged) -> None:
    """A ticket is good for one handshake: without the watchdog, it would never connect."""
    async with LocalSlack() as slack:
        slack.faults.refuse_sockets(times=2)
        async with plugged(slack):
            await slack.until(lambda: slack.connected)
        assert len(slack.called("apps.connections.open")) >= 3


async def test_a_refused_try_to_connect_is_repeated_before_slack_s_client_would(
    plugged: Plugged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client waits for seconds after each; the first few tries follow one another closely."""
    monkeypatch.setattr(socket, "PING_SECONDS", 60.0)
    monkeypatch.setattr(socket, "PATIENCE_SECONDS", (0.01, 0.01, 0.01), raising=False)
    async with LocalSlack() as slack:
        slack.faults.refuse_sockets(times=2)
        slack.faults.fail("apps.connections.open", times=1)
        slack.faults.lose_answer("apps.connections.open", times=1)
        async with plugged(slack) as connection:
            await slack.until(lambda: slack.connected)
            await connection.wait()


async def test_a_connection_that_breaks_off_comes_back(plugged: Plugged, desk: Desk) -> None:
    """And takes questions again."""
    async with LocalSlack() as slack, plugged(slack) as connection:
        await connection.wait()
        slack.cut()
        await slack.until(lambda: not slack.connected)
        await slack.until(lambda: slack.connected)
        assert (await slack.says("/job deploys:JOB1")).ok
    assert len(desk.taken) == 1


async def test_when_slack_asks_to_reconnect_the_bot_does(plugged: Plugged) -> None:
    """Slack renews its connections every few hours."""
    async with LocalSlack() as slack, plugged(slack) as connection:
        await connection.wait()
        await slack.disconnect()
        await slack.until(lambda: slack.connected)


async def test_a_socket_that_is_closed_hangs_up(plugged: Plugged) -> None:
    """Slack knows at once that nobody is there."""
    async with LocalSlack() as slack:
        async with plugged(slack) as connection:
            await connection.wait()
        await slack.until(lambda: not slack.connected)
        assert not await connection.connected()


async def test_a_socket_that_never_connected_can_be_closed(
    plugged: Plugged, caplog: pytest.LogCaptureFixture
) -> None:
    """Slack does not take the token; the program still ends."""
    async with LocalSlack() as slack, plugged(slack, "xapp-wrong") as connection:
        await slack.until(lambda: slack.called("apps.connections.open"))
        assert not await connection.connected()
    assert "xapp-wrong" not in caplog.text


async def test_an_app_token_that_slack_refuses_ends_the_waiting_with_a_sentence(
    plugged: Plugged,
) -> None:
    """Whoever runs the bot reads what to do, instead of a bot that tries for ever."""
    async with LocalSlack() as slack, plugged(slack, "xapp-wrong") as wrong:
        with pytest.raises(SlackRefused, match="connections:write"):
            await wrong.wait()
