"""What the bot said, as it was first posted: roots, follow-ups, and whispers to one person."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.playground.changes import Change, Kind
from chaos import words

if TYPE_CHECKING:
    from bot.playground.messages import Message
    from bot.playground.workspace import Workspace


@dataclass(frozen=True)
class Root:
    """A card that opened a thread."""

    job: str
    channel: str
    ts: str
    key: str
    word: str  # that the job had then
    followed: bool  # whether a watch hangs on it


@dataclass(frozen=True)
class FollowUp:
    """One reply of the bot's."""

    key: str
    text: str
    at: float  # epoch seconds


ASKED = ("click:", "command:", "message:")  # what the keys of answers begin with


@dataclass
class Threads:
    """All that the bot said in a workspace, from when this began to listen."""

    bot: str
    roots: list[Root] = field(default_factory=list)
    replies: dict[tuple[str, str], list[FollowUp]] = field(
        default_factory=lambda: defaultdict(list)
    )  # by channel and root
    whispers: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))  # by person
    keys: Counter[str] = field(default_factory=Counter)  # of everything posted
    alone: Counter[str] = field(default_factory=Counter)  # of whispers that were posted directly
    edits: int = 0
    workspace: Workspace | None = None

    @classmethod
    def of(cls, workspace: Workspace) -> Threads:
        """Begin to listen."""
        threads = cls(workspace.bot.id, workspace=workspace)
        workspace.changes.subscribe(threads.notice)
        return threads

    @property
    def posts(self) -> int:
        """How many messages the bot posted for everybody to see."""
        return self.keys.total()

    def notice(self, change: Change) -> None:
        """Remember what the bot says."""
        message = change.message
        if message is None or message.user != self.bot:
            return
        if change.kind is Kind.EDITED:
            self.edits += 1
        if change.kind is not Kind.POSTED:
            return
        if message.ephemeral_for:
            self.whispers[message.ephemeral_for].append(message.text)
        else:
            self._posted(message)

    def _posted(self, message: Message) -> None:
        key = ((message.metadata or {}).get("event_payload") or {}).get("key", "")
        self.keys[key] += 1
        if person := self._told_alone(message, key):
            self.whispers[person].append(message.text)
            self.alone[key] += 1
            return
        if message.thread_ts:
            said = FollowUp(key, message.text, float(message.ts))
            self.replies[message.channel, message.thread_ts].append(said)
            return
        followed = key.partition("~")[0].endswith(":root")
        for word in words.told(message.text):
            for job in words.jobs(json.dumps(message.blocks)):
                self.roots.append(Root(job, message.channel, message.ts, key, word, followed))

    def _told_alone(self, message: Message, key: str) -> str:
        """Return who is told directly what was asked elsewhere, or that a card could not be posted.

        The first is a whisper that the channel refused; in doubt it may have been heard there, too.
        """
        place = self.workspace.channels[message.channel] if self.workspace else None
        whispered = key.startswith(ASKED) and not key.startswith(f"message:{message.channel}:")
        refused = key.partition("~")[0].endswith(":refused")
        if place is None or not place.is_im or not (whispered or refused):
            return ""
        if words.SILENCED in message.text:
            return ""  # that is about a thread which fell silent later
        return next(iter(place.members - {self.bot}), "")
