"""The way out to Slack, as the deliverer sees it; `slack/` has the real one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.models import Message

HTTP_SECONDS = 10.0  # that one request to Slack may take

# Refusals that may pass without anybody's doing in the thread: somebody lets the bot in again,
# or opens the channel. https://docs.slack.dev/reference/methods/chat.postMessage#errors
MAY_PASS = frozenset(
    {
        "account_inactive",
        "channel_not_found",
        "invalid_auth",
        "is_archived",
        "is_inactive",
        "missing_scope",
        "not_authed",
        "not_in_channel",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "token_expired",
        "token_revoked",
    }
)


class Outlet(Protocol):
    """Writes to Slack. All raise SlackBusy, SlackRefused or SlackSilent, and nothing else."""

    async def post(
        self,
        channel: str,
        message: Message,
        *,
        key: str,
        thread_ts: str | None = None,
        broadcast: bool = False,
        about: Mapping[str, Any] | None = None,
    ) -> str:
        """Post a message that carries its key and what it tells of, and return its timestamp."""
        ...

    async def update(
        self, channel: str, ts: str, message: Message, *, about: Mapping[str, Any] | None = None
    ) -> None:
        """Replace a message; without `about` it carries what it carried."""
        ...

    async def whisper(
        self, channel: str, user: str, message: Message, *, thread_ts: str | None = None
    ) -> None:
        """Show a message to one person in a channel."""
        ...

    async def respond(
        self, response_url: str, message: Message | None, *, replace: bool, thread_ts: str | None
    ) -> None:
        """Answer through a response_url; no message deletes the one that was clicked."""
        ...

    async def react(self, channel: str, ts: str, names: Sequence[str]) -> None:
        """Give a message the first of these reactions, and take the others back."""
        ...

    async def open_direct(self, user: str) -> str:
        """Return the channel of the direct messages with a person."""
        ...

    async def find(
        self, channel: str, key: str, *, thread_ts: str | None, since: datetime
    ) -> str | None:
        """Return the timestamp of the message that carries the key, if Slack has it."""
        ...
