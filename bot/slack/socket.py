"""Socket Mode, kept alive: a watchdog over Slack's own client."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.errors import SlackRefused, trail
from bot.slack.outgoing import TOKEN, code_of
from bot.slack.proxies import proxy_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from slack_bolt.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.clock import Clock

log = logging.getLogger(__name__)

PING_SECONDS = 3.0  # also between tries to connect, and a fourth of the silence that is too long
WATCH_SECONDS = 1.0
PATIENCE_SECONDS = (
    0.2,
    0.5,
    1.0,
    2.0,
)  # between the first tries, which Slack's client knows not of
NO_TOKEN = TOKEN | {"not_authed", "not_allowed_token_type", "missing_scope"}


class Socket:
    """A Socket Mode connection that comes back.

    Slack's client keeps using a ticket that is good for one handshake only, so after a failed one
    it never connects again: while it is not connected, the watchdog takes the ticket away, and
    the client asks for a new one.
    """

    def __init__(
        self, app: AsyncApp, app_token: str, web_client: AsyncWebClient, clock: Clock
    ) -> None:
        self._clock = clock
        self._door = AsyncSocketModeHandler(
            app,
            app_token,
            logger=logging.getLogger("slack_sdk.socket_mode"),
            web_client=web_client,
            ping_interval=PING_SECONDS,
        )
        self._door.client.message_listeners.append(self._heard)
        self.heard_at: datetime | None = None  # Slack's last word, whatever it was
        self._ask_for_ticket = self._door.client.issue_new_wss_url
        self._door.client.issue_new_wss_url = self._ticket  # type: ignore[method-assign]
        knocking = _Knocking(self._door.client.aiohttp_client_session, self._ticket, clock)
        self._door.client.aiohttp_client_session = knocking  # type: ignore[assignment]
        self._refused: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Begin to connect, and to watch; returns at once."""
        self._tasks = [
            asyncio.create_task(self._door.connect_async()),  # type: ignore[no-untyped-call]
            asyncio.create_task(self._watch()),
        ]

    async def connected(self) -> bool:
        """Whether Slack can reach the bot just now."""
        return await self._door.client.is_connected()

    async def wait(self) -> None:
        """Wait until the connection stands; raises SlackRefused where it never will.

        Slack's client tries again for ever, also with a token that Slack does not accept.
        """
        ends: set[asyncio.Future[Any]] = {self._tasks[0], self._refused}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if self._refused.done():
            code = self._refused.result()
            raise SlackRefused(
                f"Slack does not accept the app token ({code}): make one with connections:write"
                " under Basic Information in the app's settings.",
                code=code,
            )

    async def close(self) -> None:
        """Hang up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._door.close_async()  # type: ignore[no-untyped-call]

    async def _ticket(self) -> str:
        """Ask Slack for an address to connect to, and note when it refuses the token for good."""
        for seconds in PATIENCE_SECONDS:
            try:
                return await self._ask_for_ticket()
            except SlackApiError as error:  # a 429 was waited for by Slack's client
                if code_of(error) in NO_TOKEN:
                    self._give_up(code_of(error))
                    raise
            except (aiohttp.ClientError, SlackClientError, OSError, AttributeError):
                pass  # AttributeError: slack_sdk takes any answer with status 200 for JSON
            await self._clock.sleep(seconds)
        return await self._ask_for_ticket()

    def _give_up(self, code: str) -> None:
        if not self._refused.done():
            self._refused.set_result(code)

    async def _heard(self, *_: object) -> None:
        self.heard_at = self._clock.now()

    async def _watch(self) -> None:
        client = self._door.client
        while True:
            if not await client.is_connected():
                client.wss_uri = None
            await self._clock.sleep(WATCH_SECONDS)


class _Knocking:
    """A session for Slack's client that tries a failed handshake again itself, each time anew.

    The client would wait as long as it waits between pings.
    """

    def __init__(
        self, session: aiohttp.ClientSession, ticket: Callable[[], Awaitable[str]], clock: Clock
    ) -> None:
        self._session = session
        self._ticket = ticket
        self._clock = clock

    @property
    def closed(self) -> bool:
        """Whether nothing can be connected any more."""
        return self._session.closed

    async def ws_connect(self, url: str, **options: Any) -> Any:
        """Open a connection; the address is good for one handshake, so a new one is asked for."""
        for seconds in PATIENCE_SECONDS:
            try:
                return await self._connect(url, options)
            except (aiohttp.ClientError, OSError) as error:
                log.info("Slack took no connection; again in %.1f s: %s", seconds, trail(error))
            await self._clock.sleep(seconds)
            url = await self._ticket()
        return await self._connect(url, options)

    async def _connect(self, url: str, options: dict[str, Any]) -> Any:
        return await self._session.ws_connect(url, **{**options, "proxy": proxy_for(url)})

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()
