"""What goes wrong on request, seen from slack_sdk's own client."""

from typing import Any

import pytest
from aiohttp import ClientError, ClientSession
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncServerErrorRetryHandler
from slack_sdk.http_retry.builtin_interval_calculators import FixedValueRetryIntervalCalculator
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Faults, LocalSlack
from bot.playground.faults import Plan, Trouble
from bot.playground.server import Timing

pytestmark = pytest.mark.anyio

POST = {"channel": "C0DEPLOYS", "text": "hello"}


async def refused(call: Any) -> SlackApiError:
    with pytest.raises(SlackApiError) as error:
        await call
    return error.value


async def test_a_rate_limit_says_when_to_come_back(slack: LocalSlack, web: AsyncWebClient) -> None:
    """429, Retry-After, nothing posted; the next call goes through."""
    slack.faults.rate_limit("chat.postMessage", retry_after=7)
    answer = (await refused(web.chat_postMessage(**POST))).response
    assert (answer.status_code, answer["error"]) == (429, "ratelimited")
    assert answer.headers["Retry-After"] == "7"
    assert slack.messages() == []
    assert (await web.chat_postMessage(**POST))["ok"]


async def test_a_lost_answer_leaves_the_message(slack: LocalSlack, web: AsyncWebClient) -> None:
    """The post was made, and the app cannot know."""
    slack.faults.lose_answer("chat.postMessage")
    with pytest.raises(ClientError):
        await web.chat_postMessage(**POST)
    assert [m.text for m in slack.messages()] == ["hello"]
    assert [call.lost for call in slack.called("chat.postMessage")] == [True]


@pytest.mark.parametrize(("after", "texts"), [(False, []), (True, ["hello"])])
async def test_a_server_error_comes_before_or_after_the_post(
    slack: LocalSlack,
    web: AsyncWebClient,
    after: bool,  # noqa: FBT001  (pytest passes it by name)
    texts: list[str],
) -> None:
    """Either way the app sees a 5xx; only one of them posted."""
    slack.faults.fail("chat.postMessage", status=502, after=after)
    assert (await refused(web.chat_postMessage(**POST))).response.status_code == 502
    assert [m.text for m in slack.messages()] == texts


async def test_a_blind_retry_after_a_server_error_posts_twice(slack: LocalSlack) -> None:
    """This is what the bot's look-up before a doubtful re-send is for."""
    at_once = FixedValueRetryIntervalCalculator(fixed_internal=0)
    retries = [AsyncServerErrorRetryHandler(max_retry_count=1, interval_calculator=at_once)]
    web = AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=retries)
    slack.faults.fail("chat.postMessage", after=True)
    await web.chat_postMessage(**POST)
    assert len(slack.messages()) == 2


async def test_a_delay_passes_on_the_clock(
    slack: LocalSlack, web: AsyncWebClient, clock: Any
) -> None:
    """The call waits on the workspace's clock, not the machine's."""
    slack.faults.delay("auth.test", milliseconds=250)
    await web.auth_test()
    assert clock.slept == [0.25]


@pytest.mark.parametrize("word", ["invalid_auth", "token_revoked", "missing_scope"])
async def test_a_call_can_be_refused_with_any_word(
    slack: LocalSlack, web: AsyncWebClient, word: str
) -> None:
    """Any of Slack's errors can be had once."""
    slack.faults.refuse(word)
    assert (await refused(web.auth_test())).response["error"] == word
    assert (await web.auth_test())["ok"]


async def test_what_happened_is_remembered(slack: LocalSlack, web: AsyncWebClient) -> None:
    """`done` tells a test that its fault really happened."""
    slack.faults.refuse("token_revoked", "auth.test")
    await web.api_test()
    assert slack.faults.done == []
    await refused(web.auth_test())
    assert [(d.trouble, d.subject) for d in slack.faults.done] == [("refuse", "auth.test")]


def test_chance_is_the_same_for_the_same_seed() -> None:
    """A run that failed can be run again."""

    def drawn(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.plan(Plan(Trouble.RATE_LIMIT, times=None, chance=0.5))
        return [faults.take(Trouble.RATE_LIMIT) is not None for _ in range(50)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 10 < sum(drawn(1)) < 40


async def test_a_channel_takes_a_burst_and_then_its_rate(clock: Any) -> None:
    """Beyond the burst, posts to that channel wait; other channels do not."""
    timing = Timing(posts_per_second=1, burst=2)
    async with LocalSlack(clock=clock, timing=timing) as slack:
        web = AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])
        for _ in range(2):
            await web.chat_postMessage(**POST)
        limited = (await refused(web.chat_postMessage(**POST))).response
        await web.chat_postMessage(channel="C0GENERAL", text="hello")
        clock.advance(seconds=1)
        await web.chat_postMessage(**POST)
    assert limited.headers["Retry-After"] == "1"
    assert len(slack.messages("deploys")) == 3


async def test_refused_blocks_can_be_named(clock: Any) -> None:
    """A workspace without the newer blocks lets fallbacks be tested."""
    async with LocalSlack(clock=clock, refused_blocks={"markdown"}) as slack:
        web = AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])
        blocks = [{"type": "markdown", "text": "x"}]
        error = await refused(web.chat_postMessage(blocks=blocks, **POST))
        slack.workspace.refused_blocks.clear()
        assert (await web.chat_postMessage(blocks=blocks, **POST))["ok"]
    assert error.response["error"] == "invalid_blocks"


async def test_the_journal_keeps_calls_without_their_tokens(
    slack: LocalSlack, web: AsyncWebClient
) -> None:
    """Every call is there with its arguments and its answer, and no secret."""
    await web.chat_postMessage(**POST)
    [call] = slack.calls
    assert (call.method, call.arguments, call.answer["ok"]) == ("chat.postMessage", POST, True)
    assert slack.bot_token not in repr(slack.calls)


async def test_faults_can_be_asked_for_over_http(slack: LocalSlack, web: AsyncWebClient) -> None:
    """The demo orders its troubles with `POST /faults`."""
    async with ClientSession() as session:
        order = {"fault": "refuse", "error": "token_revoked"}
        async with session.post(slack.url + "faults", json=order) as answer:
            assert await answer.json() == {"ok": True}
        async with session.post(slack.url + "faults", json={"fault": "rain"}) as answer:
            assert answer.status == 400
            assert "rate_limit" in (await answer.json())["error"]
        async with session.post(slack.url + "faults", json={"fault": "clear", "x": 1}) as answer:
            assert answer.status == 400
    assert (await refused(web.auth_test())).response["error"] == "token_revoked"
