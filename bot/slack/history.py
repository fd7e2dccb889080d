"""Reads channel history: threads with message metadata; obeys Slack's rate limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.sdk.backoff import JITTER, Jitter, backoff
from bot.sdk.errors import SlackRateLimited, SlackUnconfirmed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from bot.sdk.clock import Clock
    from bot.slack.web_api import WebApiTransport

SlackMessage = dict[str, Any]  # a message as the Web API returns it

PAGE_SIZE = 200  # messages
MAX_ATTEMPTS = 20  # of one page
RETRY_SECONDS = 2.0  # at most, before the first retry when no response came
MAX_RETRY_SECONDS = 30.0


class History:
    """Reads the history of channels that the bot is a member of."""

    def __init__(
        self,
        transport: WebApiTransport,
        clock: Clock,
        bot_user: str,
        jitter: Jitter = JITTER,
    ) -> None:
        self._jitter = jitter
        self._transport = transport
        self._clock = clock
        self._bot_user = bot_user

    async def threads(self, channel: str, since: datetime) -> AsyncIterator[list[SlackMessage]]:
        """Yield the bot's own messages, thread by thread, of threads started after `since`."""
        query = {"channel": channel, "oldest": f"{since.timestamp():.6f}"}
        async for root in self._pages("conversations.history", query):
            thread = [root]
            if self._bot_may_have_replied(root):
                query = {"channel": channel, "ts": root["ts"]}
                replies = self._pages("conversations.replies", query)
                thread += [sent async for sent in replies if sent["ts"] != root["ts"]]
            if own := [sent for sent in thread if sent.get("user") == self._bot_user]:
                yield own

    def _bot_may_have_replied(self, root: SlackMessage) -> bool:
        """Whether the bot may have replied; `reply_users` lists only some repliers."""
        if not root.get("reply_count"):
            return False
        listed = root.get("reply_users") or []
        some_unlisted = int(root.get("reply_users_count") or 0) > len(listed)
        return some_unlisted or self._bot_user in listed or root.get("user") == self._bot_user

    async def _pages(self, method: str, query: dict[str, Any]) -> AsyncIterator[SlackMessage]:
        cursor: str | None = None
        while True:
            arguments = {
                **query,
                "include_all_metadata": True,
                "limit": PAGE_SIZE,
                "cursor": cursor,
            }
            page = await self._call_with_retry(method, arguments)
            for sent in page["messages"]:
                yield sent
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                return

    async def _call_with_retry(self, method: str, query: dict[str, Any]) -> dict[str, Any]:
        """Call a read method; retry after a rate limit or a missing response."""
        for attempt in range(MAX_ATTEMPTS - 1):
            try:
                return await self._transport.call(method, query)
            except SlackRateLimited as error:
                await self._clock.sleep(error.retry_after)
            except SlackUnconfirmed:
                delay = backoff(attempt, RETRY_SECONDS, MAX_RETRY_SECONDS, self._jitter)
                await self._clock.sleep(delay)
        return await self._transport.call(method, query)
