"""HTTP mode, with a real Bolt app at the other end."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import LocalSlack
from bot.playground.httpmode import signature
from bot.playground.server import Timing

pytestmark = pytest.mark.anyio

QUICK = Timing(ack_seconds=1, retry_seconds=(0.0, 0.0, 0.0))


class Served:
    """A web application on loopback, and what it was asked."""

    def __init__(self, application: web.Application) -> None:
        self.runner = web.AppRunner(application)
        self.asked: list[web.Request] = []
        application.on_response_prepare.append(self.note)

    async def note(self, request: web.Request, _: Any) -> None:
        self.asked.append(request)

    async def start(self) -> str:
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self.runner.addresses[0][1]}/slack/events"


@pytest.fixture
def secret() -> str:
    return LocalSlack.signing_secret


@pytest.fixture
def bolt(secret: str) -> AsyncApp:
    """A Bolt app with one listener of each kind, which keeps the bodies it saw."""
    bolt = AsyncApp(token=LocalSlack.bot_token, signing_secret=secret)
    bolt.seen = []

    async def listen(ack: Any, body: Any) -> None:
        bolt.seen.append(body)
        await ack("Looking up" if "command" in body else "")

    async def hear(body: Any) -> None:
        bolt.seen.append(body)

    bolt.command("/job")(listen)
    bolt.action("refresh")(listen)
    bolt.event("app_mention")(hear)
    return bolt


@pytest.fixture
async def served(bolt: AsyncApp) -> AsyncIterator[Served]:
    served = Served(bolt.web_app("/slack/events"))
    yield served
    await served.runner.cleanup()


@pytest.fixture
async def slack(served: Served, bolt: AsyncApp) -> AsyncIterator[LocalSlack]:
    async with LocalSlack(request_url=await served.start(), timing=QUICK) as slack:
        bolt.client.base_url = slack.api_url
        yield slack


async def test_the_address_is_verified(slack: LocalSlack) -> None:
    """`url_verification` comes back with its challenge."""
    assert await slack.verify_url()
    assert slack.connected


async def test_a_signed_command_is_answered(slack: LocalSlack, bolt: AsyncApp) -> None:
    """Bolt accepts the signature and the form, and its ack is shown."""
    answer = await slack.says("/job deploys:J1")
    assert answer.ok
    assert bolt.seen[0]["text"] == "deploys:J1"
    assert [m.text for m in slack.ephemerals()] == ["Looking up"]


async def test_a_signed_event_is_heard(slack: LocalSlack, bolt: AsyncApp) -> None:
    """Bolt accepts the event's JSON."""
    assert (await slack.says("@jobthread J1")).ok
    await slack.until(lambda: bolt.seen)
    assert bolt.seen[0]["event"]["type"] == "app_mention"


async def test_a_signed_click_is_answered(slack: LocalSlack, bolt: AsyncApp) -> None:
    """Bolt accepts the interaction's form."""
    client = AsyncWebClient(slack.bot_token, base_url=slack.api_url)
    text = {"type": "plain_text", "text": "Refresh"}
    blocks = [
        {"type": "actions", "elements": [{"type": "button", "action_id": "refresh", "text": text}]}
    ]
    await client.chat_postMessage(channel="C0DEPLOYS", text="card", blocks=blocks)
    assert (await slack.click(slack.messages()[0], "refresh")).ok
    assert bolt.seen[0]["type"] == "block_actions"


@pytest.mark.parametrize("secret", ["another-secret"])
async def test_a_wrong_secret_is_noticed(slack: LocalSlack) -> None:
    """An app that does not trust the signature lets the command fail."""
    answer = await slack.says("/job J1")
    assert (answer.ok, answer.error) == (False, "dispatch_failed")


@pytest.mark.parametrize("secret", ["another-secret"])
async def test_a_refused_event_is_sent_again(slack: LocalSlack, served: Served) -> None:
    """The repetitions say which they are, and why."""
    await slack.says("@jobthread J1")
    await slack.until(lambda: len(slack.envelopes) == 4)
    await slack.until(lambda: len(served.asked) == 4)
    numbers = [request.headers.get("X-Slack-Retry-Num") for request in served.asked]
    reasons = {request.headers.get("X-Slack-Retry-Reason") for request in served.asked[1:]}
    assert numbers == [None, "1", "2", "3"]
    assert reasons == {"http_error"}


@pytest.mark.parametrize("number", [1, 2])
async def test_an_app_may_ask_for_no_repetition(number: int) -> None:
    """`X-Slack-No-Retry: 1` is honoured, on the first delivery and on a repetition."""
    asked: list[str] = []

    async def refuse(request: web.Request) -> web.Response:
        asked.append(request.headers.get("X-Slack-Retry-Num", "0"))
        enough = {"X-Slack-No-Retry": "1"} if len(asked) == number else {}
        return web.Response(status=500, headers=enough)

    application = web.Application()
    application.router.add_post("/slack/events", refuse)
    served = Served(application)
    async with LocalSlack(request_url=await served.start(), timing=QUICK) as slack:
        await slack.says("@jobthread J1")
        await slack.until(lambda: len(asked) == number)
        assert (
            await slack.verify_url() is False
        )  # one more round trip, in which nothing is repeated
    await served.runner.cleanup()
    assert asked == [*map(str, range(number)), "0"]


async def test_an_app_that_is_not_there_fails_the_command() -> None:
    """Nobody listens at the address: the asker is told."""
    async with LocalSlack(request_url="http://127.0.0.1:9/slack/events", timing=QUICK) as slack:
        answer = await slack.says("/job J1")
    assert answer.error == "dispatch_failed"


def test_slacks_own_verifier_accepts_the_signature(secret: str) -> None:
    """The SDK computes the same signature."""
    verifier = SignatureVerifier(secret)
    body = b"command=%2Fjob"
    expected = verifier.generate_signature(timestamp="1795348800", body=body)
    assert signature(secret, "1795348800", body) == expected
