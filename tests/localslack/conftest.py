"""A local Slack, slack_sdk's Web API client, and an app that records its requests."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack, Timing

QUICK = Timing(ack_seconds=0.1, retry_seconds=(0.0, 0.0, 0.0))


class SteppedClock:
    """A clock that the test advances; `sleep` advances it immediately."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, 12, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.moment

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds=seconds)

    def advance(self, **length: float) -> None:
        self.moment += timedelta(**length)


@dataclass
class SocketApp:
    """An app on slack_sdk's Socket Mode client; it records every request."""

    client: SocketModeClient
    got: list[SocketModeRequest] = field(default_factory=list)
    replies: Callable[[SocketModeRequest], Any] = lambda _: None
    silent: bool = False

    async def listen(self, client: Any, request: SocketModeRequest) -> None:
        self.got.append(request)
        if not self.silent:
            payload = self.replies(request)
            response = SocketModeResponse(envelope_id=request.envelope_id, payload=payload)
            await client.send_socket_mode_response(response)


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def events_wanted() -> set[str]:
    return {"app_mention", "message.im"}


@pytest.fixture
async def slack(clock: SteppedClock, events_wanted: set[str]) -> AsyncIterator[LocalSlack]:
    async with LocalSlack(clock=clock, timing=QUICK, events=events_wanted) as slack:
        yield slack


@pytest.fixture
def web(slack: LocalSlack) -> AsyncWebClient:
    return AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])


async def connect(slack: LocalSlack) -> SocketApp:
    web = AsyncWebClient(base_url=slack.api_url)
    client = SocketModeClient(slack.app_token, web_client=web, ping_interval=0.05)
    app = SocketApp(client)
    client.socket_mode_request_listeners.append(app.listen)
    before = slack.sockets.count
    await client.connect()
    await slack.until(lambda: slack.sockets.count > before)
    return app


@pytest.fixture
async def join(slack: LocalSlack) -> AsyncIterator[Callable[[], Any]]:
    """Return a function that connects an app; all are closed at the end."""
    async with AsyncExitStack() as stack:

        async def joined() -> SocketApp:
            app = await connect(slack)
            stack.push_async_callback(app.client.close)
            return app

        yield joined


@pytest.fixture
async def app(join: Callable[[], Any]) -> SocketApp:
    joined: SocketApp = await join()
    return joined
