"""Protocol of the Slack transport, and the errors after which a rejected message is retried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.sdk.models import Message

HTTP_TIMEOUT_SECONDS = 10.0  # timeout of one call to Slack

# Errors that can end without a change to the thread: the bot is invited again, or the channel is
# unarchived. https://docs.slack.dev/reference/methods/chat.postMessage#errors
RECOVERABLE_ERRORS = frozenset(
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


class SlackTransport(Protocol):
    """Calls Slack. Methods raise only SlackRateLimited, SlackRejected or SlackUnconfirmed."""

    async def post(
        self,
        channel: str,
        message: Message,
        *,
        idempotency_key: str,
        thread_ts: str | None = None,
        broadcast: bool = False,
        metadata: Mapping[str, Any] | None = None,
    ) -> str:
        """Post a message with its idempotency key and metadata; return its timestamp."""
        ...

    async def update(
        self, channel: str, ts: str, message: Message, *, metadata: Mapping[str, Any] | None = None
    ) -> None:
        """Replace a message; without new metadata it keeps the old."""
        ...

    async def post_ephemeral(
        self, channel: str, user: str, message: Message, *, thread_ts: str | None = None
    ) -> None:
        """Post an ephemeral message, which one user sees."""
        ...

    async def respond(
        self, response_url: str, message: Message | None, *, replace: bool, thread_ts: str | None
    ) -> None:
        """Post to a response_url; `None` deletes the message that was clicked."""
        ...

    async def set_reaction(self, channel: str, ts: str, names: Sequence[str]) -> None:
        """Add the first of these reactions to a message and remove the others."""
        ...

    async def open_direct(self, user: str) -> str:
        """Return the id of the direct-message channel with a user."""
        ...

    async def find(
        self, channel: str, idempotency_key: str, *, thread_ts: str | None, since: datetime
    ) -> str | None:
        """Return the timestamp of the message with this idempotency key, or None."""
        ...
