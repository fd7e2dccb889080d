"""Socket Mode connection, with a watchdog over slack_sdk's client."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.sdk.backoff import JITTER, Jitter, backoff
from bot.sdk.errors import SlackRejected, origin
from bot.slack.proxy import proxy_for
from bot.slack.web_api import TOKEN_ERRORS, error_code

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from slack_bolt.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.sdk.clock import Clock

log = logging.getLogger(__name__)

PING_SECONDS = 3.0  # also the client's retry interval, and a quarter of its idle timeout
WATCHDOG_SECONDS = 1.0
RETRIES = 4  # slack_sdk's client starts its own after these
RETRY_SECONDS = 0.25  # at most, before the first retry
MAX_RETRY_SECONDS = 2.0
FATAL_ERRORS = TOKEN_ERRORS | {"not_authed", "not_allowed_token_type", "missing_scope"}


def _retry_delays(jitter: Jitter) -> list[float]:
    return [backoff(n, RETRY_SECONDS, MAX_RETRY_SECONDS, jitter) for n in range(RETRIES)]


class SocketModeConnection:
    """A Socket Mode connection that reconnects.

    slack_sdk's client reuses its WebSocket URL, which is valid for one handshake only, so after a
    failed handshake it never reconnects. While it is disconnected, the watchdog clears the URL,
    and the client requests a new one.
    """

    def __init__(
        self,
        app: AsyncApp,
        app_token: str,
        web_client: AsyncWebClient,
        clock: Clock,
        jitter: Jitter = JITTER,
    ) -> None:
        self._clock = clock
        self._jitter = jitter
        self._handler = AsyncSocketModeHandler(
            app,
            app_token,
            logger=logging.getLogger("slack_sdk.socket_mode"),
            web_client=web_client,
            ping_interval=PING_SECONDS,
        )
        self._handler.client.message_listeners.append(self._on_message)
        self._received_at: float | None = None  # monotonic; the last message from Slack
        self._request_socket_url = self._handler.client.issue_new_wss_url
        self._handler.client.issue_new_wss_url = self._socket_url  # type: ignore[method-assign]
        session = _RetryingSession(
            self._handler.client.aiohttp_client_session, self._socket_url, clock, jitter
        )
        self._handler.client.aiohttp_client_session = session  # type: ignore[assignment]
        self._rejection: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Start connecting and the watchdog; returns at once."""
        self._tasks = [
            asyncio.create_task(self._handler.connect_async()),  # type: ignore[no-untyped-call]
            asyncio.create_task(self._run_watchdog()),
        ]

    @property
    def last_event_seconds(self) -> float | None:
        """Seconds since the last message from Slack; None before the first one."""
        at = self._received_at
        return None if at is None else self._clock.monotonic() - at

    async def connected(self) -> bool:
        """Whether the connection is open."""
        return await self._handler.client.is_connected()

    async def wait(self) -> None:
        """Wait until connected; raises SlackRejected if Slack rejects the token.

        slack_sdk's client would retry for ever, also with an invalid token.
        """
        ends: set[asyncio.Future[Any]] = {self._tasks[0], self._rejection}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if self._rejection.done():
            code = self._rejection.result()
            raise SlackRejected(
                f"Slack does not accept the app token ({code}): make one with connections:write"
                " under Basic Information in the app's settings.",
                code=code,
            )

    async def close(self) -> None:
        """Close the connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._handler.close_async()  # type: ignore[no-untyped-call]

    async def _socket_url(self) -> str:
        """Request a WebSocket URL; record when Slack rejects the token for good."""
        for seconds in _retry_delays(self._jitter):
            try:
                return await self._request_socket_url()
            except SlackApiError as error:  # slack_sdk's client has already waited for a 429
                if error_code(error) in FATAL_ERRORS:
                    self._reject(error_code(error))
                    raise
            except (aiohttp.ClientError, SlackClientError, OSError, AttributeError):
                pass  # AttributeError: slack_sdk parses every response with status 200 as JSON
            await self._clock.sleep(seconds)
        return await self._request_socket_url()

    def _reject(self, code: str) -> None:
        if not self._rejection.done():
            self._rejection.set_result(code)

    async def _on_message(self, *_: object) -> None:
        self._received_at = self._clock.monotonic()

    async def _run_watchdog(self) -> None:
        client = self._handler.client
        while True:
            if not await client.is_connected():
                client.wss_uri = None
            await self._clock.sleep(WATCHDOG_SECONDS)


class _RetryingSession:
    """aiohttp session that retries a failed handshake, each time with a new WebSocket URL.

    slack_sdk's client would wait a whole ping interval between attempts.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        socket_url: Callable[[], Awaitable[str]],
        clock: Clock,
        jitter: Jitter,
    ) -> None:
        self._jitter = jitter
        self._session = session
        self._socket_url = socket_url
        self._clock = clock

    @property
    def closed(self) -> bool:
        """Whether the session is closed."""
        return self._session.closed

    async def ws_connect(self, url: str, **options: Any) -> Any:
        """Open a connection; each attempt needs a new URL, which is valid for one handshake."""
        for seconds in _retry_delays(self._jitter):
            try:
                return await self._connect(url, options)
            except (aiohttp.ClientError, OSError) as error:
                log.info("handshake failed; retrying in %.1f s: %s", seconds, origin(error))
            await self._clock.sleep(seconds)
            url = await self._socket_url()
        return await self._connect(url, options)

    async def _connect(self, url: str, options: dict[str, Any]) -> Any:
        return await self._session.ws_connect(url, **{**options, "proxy": proxy_for(url)})

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()
