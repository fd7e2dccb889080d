"""Socket Mode connection: slack_sdk's client against a local Slack."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sdk.clock import SystemClock
from bot.sdk.errors import SlackRejected
from bot.slack import socket_mode
from bot.slack.socket_mode import SocketModeConnection
from localslack import LocalSlack, Timing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.bot.slack.conftest import FakeInboxWorker

    Connect = Callable[..., Any]

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _short_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the intervals."""
    monkeypatch.setattr(socket_mode, "PING_SECONDS", 0.05)
    monkeypatch.setattr(socket_mode, "WATCHDOG_SECONDS", 0.01)


@pytest.fixture
def connect_to(app_for: Any) -> Connect:
    """Connect to a Slack; `connect_to(slack)` is a context manager."""

    @asynccontextmanager
    async def connect(
        slack: LocalSlack, token: str = LocalSlack.app_token
    ) -> AsyncIterator[SocketModeConnection]:
        async with aiohttp.ClientSession() as session:
            client = AsyncWebClient(slack.bot_token, base_url=slack.api_url, session=session)
            connection = SocketModeConnection(app_for(client, None), token, client, SystemClock())
            await connection.open()
            try:
                yield connection
            finally:
                await connection.close()

    return connect


async def test_request_over_socket_mode_is_acknowledged(
    connect_to: Connect, inbox: FakeInboxWorker
) -> None:
    """As over HTTP."""
    async with LocalSlack() as slack, connect_to(slack) as connection:
        await connection.wait()
        assert await connection.connected()
        assert (await slack.says("/job deploys:JOB1")).ok
    assert len(inbox.enqueued) == 1


async def test_event_that_cannot_be_persisted_is_retried(
    connect_to: Connect, inbox: FakeInboxWorker
) -> None:
    """Without an acknowledgement Slack retries it."""
    inbox.failures_left = 1
    timing = Timing(ack_seconds=0.1, retry_seconds=(0,))
    async with LocalSlack(timing=timing) as slack, connect_to(slack) as connection:
        await connection.wait()
        assert not (await slack.says("@jobthread deploys:JOB1")).ok
        await slack.until(lambda: inbox.enqueued)


async def test_failed_handshake_requests_a_new_url(connect_to: Connect) -> None:
    """A URL is valid for one handshake: without the watchdog, it would never connect."""
    async with LocalSlack() as slack:
        slack.faults.refuse_sockets(times=2)
        async with connect_to(slack):
            await slack.until(lambda: slack.connected)
        assert len(slack.calls_of("apps.connections.open")) >= 3


async def test_failed_connection_is_retried_before_slack_sdk_would(
    connect_to: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """slack_sdk waits for seconds; our first retries come sooner."""
    monkeypatch.setattr(socket_mode, "PING_SECONDS", 60.0)
    monkeypatch.setattr(socket_mode, "MAX_RETRY_SECONDS", 0.01)
    async with LocalSlack() as slack:
        slack.faults.refuse_sockets(times=2)
        slack.faults.fail("apps.connections.open", times=1)
        slack.faults.lose_answer("apps.connections.open", times=1)
        async with connect_to(slack) as connection:
            await slack.until(lambda: slack.connected)
            await connection.wait()


async def test_broken_connection_reconnects(connect_to: Connect, inbox: FakeInboxWorker) -> None:
    """And receives requests again."""
    async with LocalSlack() as slack, connect_to(slack) as connection:
        await connection.wait()
        slack.cut()
        await slack.until(lambda: not slack.connected)
        await slack.until(lambda: slack.connected)
        assert (await slack.says("/job deploys:JOB1")).ok
    assert len(inbox.enqueued) == 1


async def test_bot_reconnects_when_slack_asks_for_it(connect_to: Connect) -> None:
    """Slack renews connections every few hours."""
    async with LocalSlack() as slack, connect_to(slack) as connection:
        await connection.wait()
        await slack.disconnect()
        await slack.until(lambda: slack.connected)


async def test_close_ends_the_connection(connect_to: Connect) -> None:
    """Slack notices at once."""
    async with LocalSlack() as slack:
        async with connect_to(slack) as connection:
            await connection.wait()
        await slack.until(lambda: not slack.connected)
        assert not await connection.connected()


async def test_connection_that_never_opened_can_be_closed(
    connect_to: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    """The program ends even with an invalid token."""
    async with LocalSlack() as slack, connect_to(slack, "xapp-wrong") as connection:
        await slack.until(lambda: slack.calls_of("apps.connections.open"))
        assert not await connection.connected()
    assert "xapp-wrong" not in caplog.text


async def test_rejected_app_token_raises_with_the_next_step(
    connect_to: Connect,
) -> None:
    """The bot does not retry for ever."""
    async with LocalSlack() as slack, connect_to(slack, "xapp-wrong") as rejected:
        with pytest.raises(SlackRejected, match="connections:write"):
            await rejected.wait()
