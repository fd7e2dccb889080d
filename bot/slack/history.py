"""What stands in Slack's channels, read as slowly as Slack asks: threads with their metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.errors import SlackBusy, SlackSilent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from bot.clock import Clock
    from bot.slack.outgoing import WebOutlet

Sent = dict[str, Any]  # a message as the Web API gives it

PAGE = 200  # messages
MOST_TRIES = 20  # of one page
SILENCE_SECONDS = 2.0  # before a page that did not come is asked for again


class History:
    """Reads channels that the bot is in."""

    def __init__(self, outlet: WebOutlet, clock: Clock, bot_user: str) -> None:
        self._outlet = outlet
        self._clock = clock
        self._bot_user = bot_user

    async def threads(self, channel: str, since: datetime) -> AsyncIterator[list[Sent]]:
        """Give the bot's own messages, thread by thread, where one began after `since`."""
        query = {"channel": channel, "oldest": f"{since.timestamp():.6f}"}
        async for root in self._pages("conversations.history", query):
            thread = [root]
            if self._may_be_in(root):
                query = {"channel": channel, "ts": root["ts"]}
                replies = self._pages("conversations.replies", query)
                thread += [sent async for sent in replies if sent["ts"] != root["ts"]]
            if own := [sent for sent in thread if sent.get("user") == self._bot_user]:
                yield own

    def _may_be_in(self, root: Sent) -> bool:
        """Whether the bot may have replied; Slack names only some of those who did."""
        if not root.get("reply_count"):
            return False
        named = root.get("reply_users") or []
        some_unnamed = int(root.get("reply_users_count") or 0) > len(named)
        return some_unnamed or self._bot_user in named or root.get("user") == self._bot_user

    async def _pages(self, method: str, query: dict[str, Any]) -> AsyncIterator[Sent]:
        cursor: str | None = None
        while True:
            asked = {**query, "include_all_metadata": True, "limit": PAGE, "cursor": cursor}
            page = await self._patiently(method, asked)
            for sent in page["messages"]:
                yield sent
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                return

    async def _patiently(self, method: str, query: dict[str, Any]) -> dict[str, Any]:
        """Call a method, and wait as long as Slack says; reading twice does no harm."""
        for _ in range(MOST_TRIES - 1):
            try:
                return await self._outlet.call(method, query)
            except SlackBusy as error:
                await self._clock.sleep(error.retry_after)
            except SlackSilent:
                await self._clock.sleep(SILENCE_SECONDS)
        return await self._outlet.call(method, query)
