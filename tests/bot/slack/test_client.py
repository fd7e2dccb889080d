"""Start-up calls to Slack: transient errors are retried, others are raised at once."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sdk.errors import SlackRejected, SlackUnconfirmed
from bot.sdk.testing import ManualClock
from bot.slack.client import (
    RETRY_SECONDS,
    auth_test,
    check_app_token,
    client_session,
    connect,
    token_scopes,
)
from localslack import LocalSlack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def clients(slack: LocalSlack, token: str | None = None) -> AsyncIterator[AsyncWebClient]:
    """Yield a Web API client for this Slack."""
    async with client_session() as session:
        yield AsyncWebClient(
            token or slack.bot_token, base_url=slack.api_url, session=session, retry_handlers=[]
        )


@pytest.mark.parametrize("fault", ["fail", "fail after", "rate limit", "no answer"])
async def test_start_up_retries_transient_errors_of_slack(fault: str) -> None:
    """Nobody has to restart the bot after a short outage."""
    clock = ManualClock()
    async with LocalSlack() as slack, clients(slack) as client:
        {
            "fail": lambda: slack.faults.fail("auth.test", times=2),
            "fail after": lambda: slack.faults.fail("auth.test", times=2, after=True),
            "rate limit": lambda: slack.faults.rate_limit("auth.test", times=2),
            "no answer": lambda: slack.faults.lose_answer("auth.test", times=2),
        }[fault]()
        connecting = asyncio.ensure_future(connect(client, clock))
        for tries in (1, 2):
            await slack.until(lambda tries=tries: len(slack.calls_of("auth.test")) == tries)
            while not clock.sleepers:  # noqa: ASYNC110  the client needs several turns of the loop
                await asyncio.sleep(0)
            retry_after = 1.0 if fault == "rate limit" else 0.0
            await clock.advance(max(retry_after, RETRY_SECONDS * tries))
        assert (await connecting)["user_id"] == slack.workspace.bot.id


async def test_start_up_obeys_retry_after() -> None:
    """The next attempt comes after the delay, not before."""
    clock = ManualClock()
    async with LocalSlack() as slack, clients(slack) as client:
        slack.faults.rate_limit("auth.test", retry_after=30)
        connecting = asyncio.ensure_future(connect(client, clock))
        await slack.until(lambda: slack.calls_of("auth.test"))
        while not clock.sleepers:  # noqa: ASYNC110  the client needs several turns of the loop
            await asyncio.sleep(0)
        await clock.advance(29)
        assert len(slack.calls_of("auth.test")) == 1
        await clock.advance(1)
        assert (await connecting)["ok"]


async def test_invalid_token_is_reported_without_a_retry() -> None:
    """A retry would not help."""
    async with LocalSlack() as slack, clients(slack, "xoxb-strange") as client:
        with pytest.raises(SlackRejected, match="does not accept the bot's token"):
            await connect(client, ManualClock())


async def test_server_error_is_not_reported_as_an_invalid_token() -> None:
    """The operator is not sent to look for a mistake in the settings."""
    async with LocalSlack() as slack, clients(slack) as client:
        slack.faults.fail("auth.test")
        with pytest.raises(SlackUnconfirmed, match="in trouble"):
            await auth_test(client)


async def test_unreachable_slack_error_names_the_next_step() -> None:
    """The URL may be wrong, or a firewall may block it."""
    async with client_session() as session:
        client = AsyncWebClient("xoxb-1", base_url="http://127.0.0.1:1/", session=session)
        with pytest.raises(SlackRejected, match=r"cannot be reached: check slack\.api_url"):
            await auth_test(client)
        with pytest.raises(SlackRejected, match=r"cannot be reached: check slack\.api_url"):
            await check_app_token(client, "xapp-1")


async def test_scopes_come_from_the_response_header() -> None:
    """A lost response gives None."""
    async with LocalSlack() as slack, clients(slack) as client:
        assert await token_scopes(client) == frozenset(slack.workspace.app.scopes)
        slack.faults.lose_answer("auth.test")
        assert await token_scopes(client) is None
