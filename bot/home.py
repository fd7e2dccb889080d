"""Where the bot is at home in Slack: the workspace's address and the bot's own user."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Home:
    """Where the bot is at home; Slack says so when the bot connects."""

    url: str = ""  # of the workspace, such as https://acme.slack.com/
    bot_user: str = ""

    def link(self, channel: str, ts: str | None, thread_ts: str | None = None) -> str | None:
        """Return the permalink of a message, without asking Slack for it."""
        if not self.url or ts is None:
            return None
        inside = f"?thread_ts={thread_ts}&cid={channel}" if thread_ts else ""
        return f"{self.url}archives/{channel}/p{ts.replace('.', '')}{inside}"
