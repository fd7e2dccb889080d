"""Message and reaction values, and their JSON. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reaction:
    """One emoji on a message, and the users who reacted with it."""

    name: str
    users: tuple[str, ...]

    def as_slack(self) -> Json:
        """Return the reaction as the Web API returns it."""
        return {"name": self.name, "users": list(self.users), "count": len(self.users)}


@dataclass(frozen=True, slots=True)
class Message:
    """One message; an edit makes a new value."""

    channel: str
    ts: str  # "seconds.micro6", unique in the workspace
    user: str
    text: str = ""
    blocks: tuple[Json, ...] = ()
    attachments: tuple[Json, ...] = ()
    thread_ts: str | None = None  # the root's ts; None except on replies
    broadcast: bool = False  # a reply that is also shown in the channel
    metadata: Json | None = None
    client_msg_id: str | None = None
    edited_ts: str | None = None
    ephemeral_for: str | None = None  # the only user who sees it
    reactions: tuple[Reaction, ...] = ()
    replies: tuple[str, ...] = ()  # the ts of each reply, oldest first
    repliers: tuple[str, ...] = ()
    app_id: str | None = None  # set if an app posted it
    bot_id: str | None = None
    tombstone: bool = False  # deleted; kept because it has replies

    @property
    def root_ts(self) -> str:
        """Return the ts of the thread's root: the message itself if it is no reply."""
        return self.thread_ts or self.ts

    @property
    def edited(self) -> bool:
        """Return whether the message was edited."""
        return self.edited_ts is not None

    @property
    def in_channel(self) -> bool:
        """Return whether the message is shown in the channel, not only in its thread."""
        return self.thread_ts is None or self.broadcast

    def reactors(self, name: str) -> tuple[str, ...]:
        """Return the users who reacted with this emoji, oldest reaction first."""
        return next((one.users for one in self.reactions if one.name == name), ())

    def as_slack(self, *, all_metadata: bool = False) -> Json:
        """Return the message as the Web API and events contain it."""
        fields = {
            "type": "message",
            "subtype": _subtype(self),
            "user": self.user,
            "text": self.text,
            "ts": self.ts,
            "client_msg_id": self.client_msg_id,
            "app_id": self.app_id,
            "bot_id": self.bot_id,
            "blocks": list(self.blocks) or None,
            "attachments": list(self.attachments) or None,
            "edited": {"user": self.user, "ts": self.edited_ts} if self.edited else None,
            "reactions": [reaction.as_slack() for reaction in self.reactions] or None,
            "metadata": self.metadata if all_metadata else None,
            "is_ephemeral": self.ephemeral_for is not None or None,
            **_thread_fields(self),
        }
        return {name: value for name, value in fields.items() if value is not None}

    def as_page(self) -> Json:
        """Return the message in the page's JSON."""
        fields = {
            "channel": self.channel,
            "ts": self.ts,
            "thread_ts": self.thread_ts,
            "user": self.user,
            "text": self.text,
            "blocks": list(self.blocks) or None,
            "edited": self.edited,
            "ephemeral": self.ephemeral_for is not None,
            "reply_count": len(self.replies),
            "latest_reply": self.replies[-1] if self.replies else None,
            "reactions": [{"name": r.name, "users": list(r.users)} for r in self.reactions],
            "broadcast": self.broadcast,
        }
        return {name: value for name, value in fields.items() if value is not None}


def _subtype(message: Message) -> str | None:
    if message.tombstone:
        return "tombstone"
    return "thread_broadcast" if message.broadcast else None


def _thread_fields(message: Message) -> Json:
    if message.thread_ts:
        return {"thread_ts": message.thread_ts}
    if not message.replies:
        return {}
    return {
        "thread_ts": message.ts,
        "reply_count": len(message.replies),
        "reply_users_count": len(message.repliers),
        "reply_users": list(message.repliers),
        "latest_reply": message.replies[-1],
        "is_locked": False,
    }
