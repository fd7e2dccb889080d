"""A channel in memory: takes what the bot delivers as Slack would, and remembers all of it."""

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
class Moment:
    """A clock that stands where the day has come to."""

    at: datetime = MIDNIGHT

    def now(self) -> datetime:
        """Return that moment."""
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Let others have their turn: nobody waits in this day."""
        del seconds
        await asyncio.sleep(0)


@dataclass
class Said:
    """One message as it stands."""

    ts: str
    at: datetime
    message: Message
    thread_ts: str | None
    loud: bool  # a reply that is shown in the channel as well
    edits: int = 0


@dataclass
class Channel:
    """Slack's side of one channel: an outlet that answers at once and refuses nothing."""

    clock: Clock
    said: dict[str, Said] = field(default_factory=dict)
    whispers: int = 0
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
        """Take a message; return its timestamp."""
        del channel, idempotency_key, metadata
        ts = f"{len(self.said) + 1}.000000"
        self.said[ts] = Said(ts, self.clock.now(), message, thread_ts, broadcast)
        return ts

    async def update(
        self, channel: str, ts: str, message: Message, *, metadata: Mapping[str, Any] | None = None
    ) -> None:
        """Take a newer text of a message."""
        del channel, metadata
        self.said[ts].message = message
        self.said[ts].edits += 1

    async def post_ephemeral(
        self, channel: str, user: str, message: Message, *, thread_ts: str | None = None
    ) -> None:
        """Count what only one person sees."""
        del channel, user, message, thread_ts
        self.whispers += 1

    async def respond(
        self, response_url: str, message: Message | None, *, replace: bool, thread_ts: str | None
    ) -> None:
        """Count what only one person sees."""
        del response_url, message, replace, thread_ts
        self.whispers += 1

    async def set_reaction(self, channel: str, ts: str, names: Sequence[str]) -> None:
        """Count a reaction."""
        del channel, ts, names
        self.reactions += 1

    async def open_direct(self, user: str) -> str:
        """Return the channel of a person's direct messages."""
        return f"D{user}"

    async def find(
        self, channel: str, idempotency_key: str, *, thread_ts: str | None, since: datetime
    ) -> str | None:
        """Find nothing: whatever was delivered here was answered."""
        del channel, idempotency_key, thread_ts, since
        return None

    def clicks_to_failure(self, *names: str) -> int | None:
        """Return how many clicks lead to a message that calls one of these failed; None: nowhere.

        What stands in the channel takes none, a reply takes the one that opens its thread.
        """
        found = [0 if one.thread_ts is None or one.loud else 1 for one in self._failed(names)]
        return min(found, default=None)

    def _failed(self, names: Sequence[str]) -> Iterator[Said]:
        for one in self.said.values():
            shown = f"{one.message.text}{one.message.blocks}"
            if "failed" in shown and any(name in shown for name in names):
                yield one
