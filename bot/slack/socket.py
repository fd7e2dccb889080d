"""Socket Mode, kept alive: a watchdog over Slack's own client."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.errors import SlackApiError

from bot.errors import SlackRefused
from bot.slack.outgoing import TOKEN, code_of

if TYPE_CHECKING:
    from datetime import datetime

    from slack_bolt.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.clock import Clock

PING_SECONDS = 3.0  # also between tries to connect, and a fourth of the silence that is too long
WATCH_SECONDS = 1.0
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
        try:
            return await self._ask_for_ticket()
        except SlackApiError as error:
            if code_of(error) in NO_TOKEN and not self._refused.done():
                self._refused.set_result(code_of(error))
            raise

    async def _heard(self, *_: object) -> None:
        self.heard_at = self._clock.now()

    async def _watch(self) -> None:
        client = self._door.client
        while True:
            if not await client.is_connected():
                client.wss_uri = None
            await self._clock.sleep(WATCH_SECONDS)
