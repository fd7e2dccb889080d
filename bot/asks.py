"""What a person did in Slack, in our words: it is kept in the inbox until it is answered."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime

from bot.models import Value

RESPONSE_URL_LIFE = timedelta(minutes=28)  # Slack's own is 30


class Kind(StrEnum):
    """By which door a person came in."""

    COMMAND = "command"  # a slash command
    MENTION = "mention"  # in a channel or a thread
    DIRECT = "direct"  # a direct message
    CLICK = "click"  # on a button of ours
    SHORTCUT = "shortcut"  # "Follow jobs in this message"
    FORM = "form"  # the modal of a channel's contract; its wish is the ask's value


class Ask(Value):
    """One thing that one person did, where, and how to answer only that person."""

    kind: Kind
    user: str
    channel: str
    at: AwareDatetime
    text: str = ""  # as Slack escaped it; empty for a click
    thread_ts: str | None = None  # the thread that the answer belongs in
    said_ts: str | None = None  # of the message with which the person asked; it takes reactions
    response_url: str | None = None  # a secret: it lets anyone answer
    action: str = ""  # of the button
    value: str = ""  # of the button, of what was chosen in a menu, or what the modal asks for
    message_ts: str | None = None  # the message the button is on
    ephemeral: bool = False  # that message is shown to the asker only

    def way_back(self) -> dict[str, Any]:
        """Return how to reach the asker alone, as a message's body in the outbox holds it.

        `until`: epoch seconds after which the response_url answers no more.
        """
        until = self.at + RESPONSE_URL_LIFE
        return {
            "asker": self.user,
            "thread_ts": self.thread_ts,
            "response_url": self.response_url,
            "until": until.timestamp() if self.response_url else None,
        }
