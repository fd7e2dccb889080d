"""In-memory channel: accepts and stores every message that the bot delivers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.recorded_day import MIDNIGHT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from bot.sdk import Message
    from bot.sdk.clock import Clock

WORKSPACE, CHANNEL = "T0BENCH", "C0BENCH"


@dataclass
class ReplayClock:
    """Clock that shows the time of the replay."""

    at: datetime = MIDNIGHT

    def now(self) -> datetime:
        """Return the time of the replay."""
        return self.at

    def monotonic(self) -> float:
        """Return the time of the replay in seconds."""
        return self.at.timestamp()

    async def sleep(self, seconds: float) -> None:
        """Yield to other tasks; the replay never waits."""
        del seconds
        await asyncio.sleep(0)


@dataclass
class StoredMessage:
    """A message in its latest version."""

    ts: str
    at: datetime
    message: Message
    thread_ts: str | None
    broadcast: bool  # a reply that is also shown in the channel
    edits: int = 0


@dataclass
class Channel:
    """A `SlackTransport` for one channel that accepts everything at once."""

    clock: Clock
    messages: dict[str, StoredMessage] = field(default_factory=dict)
    ephemerals: int = 0
    reactions: int = 0

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
        """Store a message; return its timestamp."""
        del channel, idempotency_key, metadata
        ts = f"{len(self.messages) + 1}.000000"
        self.messages[ts] = StoredMessage(ts, self.clock.now(), message, thread_ts, broadcast)
        return ts

    async def update(
        self, channel: str, ts: str, message: Message, *, metadata: Mapping[str, Any] | None = None
    ) -> None:
        """Replace a message."""
        del channel, metadata
        self.messages[ts].message = message
        self.messages[ts].edits += 1

    async def post_ephemeral(
        self, channel: str, user: str, message: Message, *, thread_ts: str | None = None
    ) -> None:
        """Count an ephemeral message."""
        del channel, user, message, thread_ts
        self.ephemerals += 1

    async def respond(
        self, response_url: str, message: Message | None, *, replace: bool, thread_ts: str | None
    ) -> None:
        """Count an ephemeral message."""
        del response_url, message, replace, thread_ts
        self.ephemerals += 1

    async def set_reaction(self, channel: str, ts: str, names: Sequence[str]) -> None:
        """Count a reaction."""
        del channel, ts, names
        self.reactions += 1

    async def open_direct(self, user: str) -> str:
        """Return the channel of a user's direct messages."""
        return f"D{user}"

    async def find(
        self, channel: str, idempotency_key: str, *, thread_ts: str | None, since: datetime
    ) -> str | None:
        """Return None: every delivery here was confirmed."""
        del channel, idempotency_key, thread_ts, since
        return None

    def clicks_to_failure(self, *names: str) -> int | None:
        """Return the clicks to a message that says one of these failed; None: there is none.

        A message in the channel takes none, a reply takes one to open its thread.
        """
        found = [
            0 if one.thread_ts is None or one.broadcast else 1
            for one in self._failure_messages(names)
        ]
        return min(found, default=None)

    def _failure_messages(self, names: Sequence[str]) -> Iterator[StoredMessage]:
        for one in self.messages.values():
            shown = f"{one.message.text}{one.message.blocks}"
            if "failed" in shown and any(name in shown for name in names):
                yield one
