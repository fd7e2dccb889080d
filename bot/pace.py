"""How fast Slack may be written to: one bucket a channel for posts, one a method for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.store import NewPost, PostKind

if TYPE_CHECKING:
    from datetime import datetime

MOST_BUCKETS = 10_000  # full ones are forgotten beyond that


@dataclass(frozen=True)
class Rate:
    """How much Slack takes: so many a second for long, so many at once."""

    per_second: float
    burst: int

    @property
    def slack_seconds(self) -> float:
        """How far ahead of its steady rhythm a bucket may run."""
        return (self.burst - 1) / self.per_second


# Slack: "one message per second per channel, short bursts allowed"; tier 3 is 50 a minute and
# tier 4 100 a minute, for a whole workspace. https://docs.slack.dev/apis/web-api/rate-limits
RATES = {
    PostKind.POST: Rate(per_second=1.0, burst=4),
    PostKind.DIRECT: Rate(per_second=1.0, burst=4),
    PostKind.UPDATE: Rate(per_second=50 / 60, burst=25),
    PostKind.EPHEMERAL: Rate(per_second=100 / 60, burst=50),
}


class Pace:
    """Says how long a message must wait; what Slack answers with 429 waits as long as it says.

    A bucket is one number, the moment at which it will be full again (the generic cell rate
    algorithm), so nothing ticks.
    """

    def __init__(self) -> None:
        self._full_at: dict[tuple[str, ...], float] = {}  # epoch seconds

    def delay(self, post: NewPost, now: datetime) -> float:
        """Return the seconds until the message may be sent; 0.0: now."""
        full_at = self._full_at.get(_bucket(post), 0.0)
        return max(0.0, full_at - RATES[post.kind].slack_seconds - now.timestamp())

    def take(self, post: NewPost, now: datetime) -> None:
        """Note that the message is sent now."""
        self._forget(now)
        bucket = _bucket(post)
        full_at = max(self._full_at.get(bucket, 0.0), now.timestamp())
        self._full_at[bucket] = full_at + 1 / RATES[post.kind].per_second

    def pause(self, post: NewPost, seconds: float, now: datetime) -> None:
        """Note that Slack wants no more of these for so many seconds."""
        bucket = _bucket(post)
        until = now.timestamp() + seconds + RATES[post.kind].slack_seconds
        self._full_at[bucket] = max(self._full_at.get(bucket, 0.0), until)

    def _forget(self, now: datetime) -> None:
        if len(self._full_at) > MOST_BUCKETS:
            present = now.timestamp()
            self._full_at = {k: at for k, at in self._full_at.items() if at > present}


def _bucket(post: NewPost) -> tuple[str, ...]:
    if post.kind in (PostKind.POST, PostKind.DIRECT):
        return post.workspace, post.kind, post.channel
    return post.workspace, post.kind
