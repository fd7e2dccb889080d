"""Saying hello to Slack: what passes is waited out, what does not is told at once."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import SlackRefused, SlackSilent
from bot.playground import LocalSlack
from bot.slack.client import PATIENCE_SECONDS, client_session, greet, hello, scopes, try_app_token
from bot.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def clients(slack: LocalSlack, token: str | None = None) -> AsyncIterator[AsyncWebClient]:
    """Give a client of this Slack."""
    async with client_session() as session:
        yield AsyncWebClient(
            token or slack.bot_token, base_url=slack.api_url, session=session, retry_handlers=[]
        )


@pytest.mark.parametrize("trouble", ["fail", "fail after", "rate limit", "no answer"])
async def test_a_bot_that_starts_waits_for_troubles_of_slack_to_pass(trouble: str) -> None:
    """Nobody has to start it again because Slack was busy just then."""
    clock = ManualClock()
    async with LocalSlack() as slack, clients(slack) as client:
        {
            "fail": lambda: slack.faults.fail("auth.test", times=2),
            "fail after": lambda: slack.faults.fail("auth.test", times=2, after=True),
            "rate limit": lambda: slack.faults.rate_limit("auth.test", times=2),
            "no answer": lambda: slack.faults.lose_answer("auth.test", times=2),
        }[trouble]()
        greeting = asyncio.ensure_future(greet(client, clock))
        for tries in (1, 2):
            await slack.until(lambda tries=tries: len(slack.called("auth.test")) == tries)
            while not clock.sleepers:  # noqa: ASYNC110  the client's own turns of the loop
                await asyncio.sleep(0)
            asked_for = 1.0 if trouble == "rate limit" else 0.0
            await clock.advance(max(asked_for, PATIENCE_SECONDS[tries - 1]))
        assert (await greeting)["user_id"] == slack.workspace.bot.id


async def test_a_bot_that_starts_waits_as_long_as_slack_asks() -> None:
    """A 429 says when to come back; not before."""
    clock = ManualClock()
    async with LocalSlack() as slack, clients(slack) as client:
        slack.faults.rate_limit("auth.test", retry_after=30)
        greeting = asyncio.ensure_future(greet(client, clock))
        await slack.until(lambda: slack.called("auth.test"))
        while not clock.sleepers:  # noqa: ASYNC110  the client's own turns of the loop
            await asyncio.sleep(0)
        await clock.advance(29)
        assert len(slack.called("auth.test")) == 1
        await clock.advance(1)
        assert (await greeting)["ok"]


async def test_a_token_that_slack_does_not_know_is_told_at_once() -> None:
    """Waiting would not help."""
    async with LocalSlack() as slack, clients(slack, "xoxb-strange") as client:
        with pytest.raises(SlackRefused, match="does not accept the bot's token"):
            await greet(client, ManualClock())


async def test_trouble_of_slack_is_not_taken_for_a_bad_token() -> None:
    """Whoever checks the settings does not look for a mistake that is none."""
    async with LocalSlack() as slack, clients(slack) as client:
        slack.faults.fail("auth.test")
        with pytest.raises(SlackSilent, match="in trouble"):
            await hello(client)


async def test_where_slack_is_not_the_next_step_is_told() -> None:
    """An address that nobody serves may be a slip, or a way out that is closed."""
    async with client_session() as session:
        client = AsyncWebClient("xoxb-1", base_url="http://127.0.0.1:1/", session=session)
        with pytest.raises(SlackRefused, match=r"cannot be reached: check slack\.api_url"):
            await hello(client)
        with pytest.raises(SlackRefused, match=r"cannot be reached: check slack\.api_url"):
            await try_app_token(client, "xapp-1")


async def test_slack_says_what_the_token_may_do() -> None:
    """With every answer; an answer that is lost says nothing."""
    async with LocalSlack() as slack, clients(slack) as client:
        assert await scopes(client) == frozenset(slack.workspace.app.scopes)
        slack.faults.lose_answer("auth.test")
        assert await scopes(client) is None
