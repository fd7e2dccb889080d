"""Value: one user request and how to reply to it. The inbox stores it until it is answered."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from pydantic import AwareDatetime

from bot.sdk.models import Value
from bot.store import ReplyTarget

RESPONSE_URL_LIFETIME = timedelta(minutes=28)  # Slack's limit is 30 minutes


class RequestKind(StrEnum):
    """The Slack surface that a request came from."""

    COMMAND = "command"  # a slash command
    MENTION = "mention"  # in a channel or a thread
    DIRECT = "direct"  # a direct message
    CLICK = "click"  # on a button or menu of the bot
    SHORTCUT = "shortcut"  # "Follow jobs in this message"
    SETTINGS_FORM = "form"  # the channel settings modal; `value` is the settings patch as JSON

    @property
    def is_free_text(self) -> bool:
        """Whether the text is free, so that words that are no reference are ignored."""
        return self in (RequestKind.MENTION, RequestKind.DIRECT, RequestKind.SHORTCUT)


class Request(Value):
    """A user's request, its origin, and the target of an ephemeral reply."""

    kind: RequestKind
    user: str
    channel: str
    requested_at: AwareDatetime
    text: str = ""  # in Slack's escaping; empty for a click
    thread_ts: str | None = None  # the thread to reply in
    request_ts: str | None = None  # the message with the request, which can take reactions
    response_url: str | None = None  # secret: anybody who has it can post a reply
    action_id: str = ""  # action id of the button or menu
    value: str = ""  # of the button, the chosen menu option, or the modal
    message_ts: str | None = None  # the message that contains the button
    ephemeral: bool = False  # whether that message is ephemeral

    def reply_target(self) -> ReplyTarget:
        """Return the target of an ephemeral reply."""
        expires_at = (
            (self.requested_at + RESPONSE_URL_LIFETIME).timestamp() if self.response_url else None
        )
        return ReplyTarget(self.user, self.thread_ts, self.response_url, expires_at)
