"""The bot's messages as first posted: cards, thread replies, ephemeral messages."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chaos import message_parser
from localslack.state.events import EventKind, WorkspaceEvent

if TYPE_CHECKING:
    from localslack.state.messages import Message
    from localslack.state.workspace import Workspace


@dataclass(frozen=True)
class CardPost:
    """A card, which opens a thread."""

    job: str
    channel: str
    ts: str
    key: str
    status: str  # of the job, at that time
    followed: bool  # whether it has a watch


@dataclass(frozen=True)
class ThreadReply:
    """One thread reply of the bot."""

    key: str
    text: str
    at: float  # epoch seconds


ANSWER_PREFIXES = ("click:", "command:", "message:")  # of the idempotency keys of answers


@dataclass
class BotMessages:
    """All messages that the bot has posted in a workspace since the subscription."""

    bot_user: str
    cards: list[CardPost] = field(default_factory=list)
    replies: dict[tuple[str, str], list[ThreadReply]] = field(
        default_factory=lambda: defaultdict(list)
    )  # by channel and card
    ephemerals: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))  # by user
    keys: Counter[str] = field(default_factory=Counter)  # idempotency keys of all posts
    direct_ephemerals: Counter[str] = field(
        default_factory=Counter
    )  # keys of ephemerals sent as direct messages
    edits: int = 0
    workspace: Workspace | None = None

    @classmethod
    def subscribe(cls, workspace: Workspace) -> BotMessages:
        """Subscribe to a workspace's events."""
        threads = cls(workspace.bot.id, workspace=workspace)
        workspace.events.subscribe(threads.on_event)
        return threads

    @property
    def posts(self) -> int:
        """The number of the bot's posts, without ephemeral messages."""
        return self.keys.total()

    def on_event(self, change: WorkspaceEvent) -> None:
        """Record a message of the bot."""
        message = change.message
        if message is None or message.user != self.bot_user:
            return
        if change.kind is EventKind.EDITED:
            self.edits += 1
        if change.kind is not EventKind.POSTED:
            return
        if message.ephemeral_for:
            self.ephemerals[message.ephemeral_for].append(message.text)
        else:
            self._record_post(message)

    def _record_post(self, message: Message) -> None:
        key = ((message.metadata or {}).get("event_payload") or {}).get("key", "")
        self.keys[key] += 1
        if user := self._direct_recipient(message, key):
            self.ephemerals[user].append(message.text)
            self.direct_ephemerals[key] += 1
            return
        if message.thread_ts:
            reply = ThreadReply(key, message.text, float(message.ts))
            self.replies[message.channel, message.thread_ts].append(reply)
            return
        followed = key.partition("~")[0].endswith(":root")
        for status in message_parser.statuses_in(message.text):
            for job in message_parser.job_ids(json.dumps(message.blocks)):
                self.cards.append(CardPost(job, message.channel, message.ts, key, status, followed))

    def _direct_recipient(self, message: Message, key: str) -> str:
        """Return the user of a direct message that replaces an ephemeral or rejects a card.

        The first is an ephemeral that the channel rejected; unconfirmed, it may exist twice.
        """
        channel = self.workspace.channels[message.channel] if self.workspace else None
        is_ephemeral = key.startswith(ANSWER_PREFIXES) and not key.startswith(
            f"message:{message.channel}:"
        )
        is_rejection = key.partition("~")[0].endswith(":refused")
        if channel is None or not channel.is_im or not (is_ephemeral or is_rejection):
            return ""
        if message_parser.UNREACHABLE_NOTICE in message.text:
            return ""  # about a thread that became unreachable later
        return next(iter(channel.members - {self.bot_user}), "")
