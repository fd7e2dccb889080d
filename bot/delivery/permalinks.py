"""Workspace URL and the bot's user id; builds permalinks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Workspace:
    """The workspace that the bot is connected to; filled in from auth.test."""

    url: str = ""  # of the workspace, such as https://acme.slack.com/
    bot_user: str = ""

    def permalink(self, channel: str, ts: str | None, thread_ts: str | None = None) -> str | None:
        """Return the permalink of a message, without a call to Slack; None if it is unknown."""
        if not self.url or ts is None:
            return None
        query = f"?thread_ts={thread_ts}&cid={channel}" if thread_ts else ""
        return f"{self.url}archives/{channel}/p{ts.replace('.', '')}{query}"
