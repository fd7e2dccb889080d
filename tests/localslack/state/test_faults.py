"""Fault injection, as slack_sdk's client experiences it."""

from typing import Any

import pytest
from aiohttp import ClientError, ClientSession
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncServerErrorRetryHandler
from slack_sdk.http_retry.builtin_interval_calculators import FixedValueRetryIntervalCalculator
from slack_sdk.web.async_client import AsyncWebClient

from localslack import Faults, LocalSlack, Timing
from localslack.state.faults import FaultKind, PlannedFault

pytestmark = pytest.mark.anyio

POST = {"channel": "C0DEPLOYS", "text": "hello"}


async def api_error(call: Any) -> SlackApiError:
    with pytest.raises(SlackApiError) as error:
        await call
    return error.value


async def test_rate_limit_has_a_retry_after_header(slack: LocalSlack, web: AsyncWebClient) -> None:
    """The response is 429 with Retry-After; the next call succeeds."""
    slack.faults.rate_limit("chat.postMessage", retry_after=7)
    answer = (await api_error(web.chat_postMessage(**POST))).response
    assert (answer.status_code, answer["error"]) == (429, "ratelimited")
    assert answer.headers["Retry-After"] == "7"
    assert slack.messages() == []
    assert (await web.chat_postMessage(**POST))["ok"]


async def test_lost_response_leaves_the_message(slack: LocalSlack, web: AsyncWebClient) -> None:
    """The message is posted, and the client gets a connection error."""
    slack.faults.lose_answer("chat.postMessage")
    with pytest.raises(ClientError):
        await web.chat_postMessage(**POST)
    assert [m.text for m in slack.messages()] == ["hello"]
    assert [call.response_lost for call in slack.calls_of("chat.postMessage")] == [True]


@pytest.mark.parametrize(("after", "texts"), [(False, []), (True, ["hello"])])
async def test_server_error_comes_before_or_after_the_post(
    slack: LocalSlack,
    web: AsyncWebClient,
    after: bool,  # noqa: FBT001  (pytest passes it by name)
    texts: list[str],
) -> None:
    """The response is 5xx in both cases; the message exists only in one."""
    slack.faults.fail("chat.postMessage", status=502, after=after)
    assert (await api_error(web.chat_postMessage(**POST))).response.status_code == 502
    assert [m.text for m in slack.messages()] == texts


async def test_retry_after_a_server_error_can_post_twice(slack: LocalSlack) -> None:
    """Therefore the bot reads the history before it sends an unconfirmed message again."""
    no_wait = FixedValueRetryIntervalCalculator(fixed_internal=0)
    retries = [AsyncServerErrorRetryHandler(max_retry_count=1, interval_calculator=no_wait)]
    web = AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=retries)
    slack.faults.fail("chat.postMessage", after=True)
    await web.chat_postMessage(**POST)
    assert len(slack.messages()) == 2


async def test_delay_uses_the_workspace_clock(
    slack: LocalSlack, web: AsyncWebClient, clock: Any
) -> None:
    """The call waits on the workspace's clock, not in real time."""
    slack.faults.delay("auth.test", milliseconds=250)
    await web.auth_test()
    assert clock.slept == [0.25]


@pytest.mark.parametrize("code", ["invalid_auth", "token_revoked", "missing_scope"])
async def test_call_can_be_rejected_with_any_error_code(
    slack: LocalSlack, web: AsyncWebClient, code: str
) -> None:
    """The planned error is returned once."""
    slack.faults.refuse(code)
    assert (await api_error(web.auth_test())).response["error"] == code
    assert (await web.auth_test())["ok"]


async def test_injected_faults_are_logged(slack: LocalSlack, web: AsyncWebClient) -> None:
    """The log lets a test check that its fault was injected."""
    slack.faults.refuse("token_revoked", "auth.test")
    await web.api_test()
    assert slack.faults.injected == []
    await api_error(web.auth_test())
    assert [(d.kind, d.subject) for d in slack.faults.injected] == [("refuse", "auth.test")]


def test_random_faults_repeat_with_the_same_seed() -> None:
    """A failed run can be repeated."""

    def drawn(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.plan(PlannedFault(FaultKind.RATE_LIMIT, times=None, chance=0.5))
        return [faults.consume(FaultKind.RATE_LIMIT) is not None for _ in range(50)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 10 < sum(drawn(1)) < 40


async def test_channel_allows_a_burst_and_then_its_rate(clock: Any) -> None:
    """After the burst, posts to this channel are limited; other channels are not."""
    timing = Timing(posts_per_second=1, burst=2)
    async with LocalSlack(clock=clock, timing=timing) as slack:
        web = AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])
        for _ in range(2):
            await web.chat_postMessage(**POST)
        limited = (await api_error(web.chat_postMessage(**POST))).response
        await web.chat_postMessage(channel="C0GENERAL", text="hello")
        clock.advance(seconds=1)
        await web.chat_postMessage(**POST)
    assert limited.headers["Retry-After"] == "1"
    assert len(slack.messages("deploys")) == 3


async def test_unsupported_block_types_can_be_configured(clock: Any) -> None:
    """A workspace without newer blocks is for tests of fallbacks."""
    async with LocalSlack(clock=clock, refused_blocks={"markdown"}) as slack:
        web = AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])
        blocks = [{"type": "markdown", "text": "x"}]
        error = await api_error(web.chat_postMessage(blocks=blocks, **POST))
        slack.workspace.refused_blocks.clear()
        assert (await web.chat_postMessage(blocks=blocks, **POST))["ok"]
    assert error.response["error"] == "invalid_blocks"


async def test_call_log_contains_no_tokens(slack: LocalSlack, web: AsyncWebClient) -> None:
    """Every call is logged with its arguments and response, without the token."""
    await web.chat_postMessage(**POST)
    [call] = slack.calls
    assert (call.method, call.arguments, call.response["ok"]) == ("chat.postMessage", POST, True)
    assert slack.bot_token not in repr(slack.calls)


async def test_faults_can_be_planned_over_http(slack: LocalSlack, web: AsyncWebClient) -> None:
    """`POST /faults` plans a fault; an unknown one is rejected."""
    async with ClientSession() as session:
        fault = {"fault": "refuse", "error": "token_revoked"}
        async with session.post(slack.url + "faults", json=fault) as answer:
            assert await answer.json() == {"ok": True}
        async with session.post(slack.url + "faults", json={"fault": "rain"}) as answer:
            assert answer.status == 400
            assert "rate_limit" in (await answer.json())["error"]
        async with session.post(slack.url + "faults", json={"fault": "clear", "x": 1}) as answer:
            assert answer.status == 400
    assert (await api_error(web.auth_test())).response["error"] == "token_revoked"
