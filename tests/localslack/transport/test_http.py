"""HTTP transport, with a real Bolt app as the receiver."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack, Timing
from localslack.transport.http import signature

pytestmark = pytest.mark.anyio

QUICK = Timing(ack_seconds=1, retry_seconds=(0.0, 0.0, 0.0))


class RecordingServer:
    """A web application on loopback that records its requests."""

    def __init__(self, application: web.Application) -> None:
        self.runner = web.AppRunner(application)
        self.requests: list[web.Request] = []
        application.on_response_prepare.append(self.record)

    async def record(self, request: web.Request, _: Any) -> None:
        self.requests.append(request)

    async def start(self) -> str:
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self.runner.addresses[0][1]}/slack/events"


@pytest.fixture
def secret() -> str:
    return LocalSlack.signing_secret


@pytest.fixture
def bolt(secret: str) -> AsyncApp:
    """Return a Bolt app with one listener of each kind, which records the bodies."""
    bolt = AsyncApp(token=LocalSlack.bot_token, signing_secret=secret)
    bolt.bodies = []

    async def listen(ack: Any, body: Any) -> None:
        bolt.bodies.append(body)
        await ack("Looking up" if "command" in body else "")

    async def listen_to_event(body: Any) -> None:
        bolt.bodies.append(body)

    bolt.command("/job")(listen)
    bolt.action("refresh")(listen)
    bolt.event("app_mention")(listen_to_event)
    return bolt


@pytest.fixture
async def served(bolt: AsyncApp) -> AsyncIterator[RecordingServer]:
    served = RecordingServer(bolt.web_app("/slack/events"))
    yield served
    await served.runner.cleanup()


@pytest.fixture
async def slack(served: RecordingServer, bolt: AsyncApp) -> AsyncIterator[LocalSlack]:
    async with LocalSlack(request_url=await served.start(), timing=QUICK) as slack:
        bolt.client.base_url = slack.api_url
        yield slack


async def test_request_url_is_verified(slack: LocalSlack) -> None:
    """The app returns the challenge of `url_verification`."""
    assert await slack.verify_url()
    assert slack.connected


async def test_signed_command_is_acknowledged(slack: LocalSlack, bolt: AsyncApp) -> None:
    """Bolt accepts the signature and the form, and its ack is shown."""
    answer = await slack.says("/job deploys:J1")
    assert answer.ok
    assert bolt.bodies[0]["text"] == "deploys:J1"
    assert [m.text for m in slack.ephemerals()] == ["Looking up"]


async def test_signed_event_reaches_the_app(slack: LocalSlack, bolt: AsyncApp) -> None:
    """Bolt accepts the event's JSON."""
    assert (await slack.says("@jobthread J1")).ok
    await slack.until(lambda: bolt.bodies)
    assert bolt.bodies[0]["event"]["type"] == "app_mention"


async def test_signed_click_is_acknowledged(slack: LocalSlack, bolt: AsyncApp) -> None:
    """Bolt accepts the interaction's form."""
    client = AsyncWebClient(slack.bot_token, base_url=slack.api_url)
    text = {"type": "plain_text", "text": "Refresh"}
    blocks = [
        {"type": "actions", "elements": [{"type": "button", "action_id": "refresh", "text": text}]}
    ]
    await client.chat_postMessage(channel="C0DEPLOYS", text="card", blocks=blocks)
    assert (await slack.click(slack.messages()[0], "refresh")).ok
    assert bolt.bodies[0]["type"] == "block_actions"


@pytest.mark.parametrize("secret", ["another-secret"])
async def test_wrong_signing_secret_fails_the_command(slack: LocalSlack) -> None:
    """The app rejects the signature, and the command fails."""
    answer = await slack.says("/job J1")
    assert (answer.ok, answer.error) == (False, "dispatch_failed")


@pytest.mark.parametrize("secret", ["another-secret"])
async def test_rejected_event_is_retried(slack: LocalSlack, served: RecordingServer) -> None:
    """Retries have a number and a reason."""
    await slack.says("@jobthread J1")
    await slack.until(lambda: len(slack.envelopes) == 4)
    await slack.until(lambda: len(served.requests) == 4)
    numbers = [request.headers.get("X-Slack-Retry-Num") for request in served.requests]
    reasons = {request.headers.get("X-Slack-Retry-Reason") for request in served.requests[1:]}
    assert numbers == [None, "1", "2", "3"]
    assert reasons == {"http_error"}


@pytest.mark.parametrize("number", [1, 2])
async def test_app_can_decline_retries(number: int) -> None:
    """`X-Slack-No-Retry: 1` is honoured, on the first delivery and on a retry."""
    attempts: list[str] = []

    async def refuse(request: web.Request) -> web.Response:
        attempts.append(request.headers.get("X-Slack-Retry-Num", "0"))
        headers = {"X-Slack-No-Retry": "1"} if len(attempts) == number else {}
        return web.Response(status=500, headers=headers)

    application = web.Application()
    application.router.add_post("/slack/events", refuse)
    served = RecordingServer(application)
    async with LocalSlack(request_url=await served.start(), timing=QUICK) as slack:
        await slack.says("@jobthread J1")
        await slack.until(lambda: len(attempts) == number)
        # This is one more request, after which a retry would have arrived.
        assert await slack.verify_url() is False
    await served.runner.cleanup()
    assert attempts == [*map(str, range(number)), "0"]


async def test_unreachable_app_fails_the_command() -> None:
    """The user gets an error if no server listens at the URL."""
    async with LocalSlack(request_url="http://127.0.0.1:9/slack/events", timing=QUICK) as slack:
        answer = await slack.says("/job J1")
    assert answer.error == "dispatch_failed"


def test_sdk_verifier_accepts_the_signature(secret: str) -> None:
    """The SDK computes the same signature."""
    verifier = SignatureVerifier(secret)
    body = b"command=%2Fjob"
    expected = verifier.generate_signature(timestamp="1795348800", body=body)
    assert signature(secret, "1795348800", body) == expected
