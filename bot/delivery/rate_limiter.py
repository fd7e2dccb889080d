"""Rate limiter for Slack: per channel for posts, per method for all other calls."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from bot.store import MessageKind, MessageState, NewMessage, OutboxMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

P = TypeVar("P", bound=NewMessage)

MAX_BUCKETS = 10_000  # above this, idle buckets are dropped


@dataclass(frozen=True)
class Rate:
    """A sustained rate and a burst size."""

    per_second: float
    burst: int

    @property
    def burst_tolerance_seconds(self) -> float:
        """How far a bucket may run ahead of its sustained rate."""
        return (self.burst - 1) / self.per_second


# Slack: "one message per second per channel, short bursts allowed"; tier 3 is 50 a minute and
# tier 4 100 a minute, for a whole workspace. https://docs.slack.dev/apis/web-api/rate-limits
RATES = {
    MessageKind.POST: Rate(per_second=1.0, burst=4),
    MessageKind.DIRECT: Rate(per_second=1.0, burst=4),
    MessageKind.UPDATE: Rate(per_second=50 / 60, burst=25),
    MessageKind.REACTION: Rate(per_second=25 / 60, burst=12),  # tier 3, and two calls each
    MessageKind.EPHEMERAL: Rate(per_second=100 / 60, burst=50),
}


# Other methods that sending a message may call first; each has tier 3.
HISTORY_METHOD = "conversations.history"  # looks up a message outside threads
REPLIES_METHOD = "conversations.replies"  # looks up a thread reply
OPEN_METHOD = "conversations.open"
RESPONSE_URL = "response_url"  # each URL has its own limit
TIER_3 = Rate(per_second=50 / 60, burst=25)

Bucket = tuple[str, ...]


class RateLimiter:
    """Generic cell rate algorithm (GCRA): returns how long each message must wait.

    A bucket is one number, the time at which it is full again. After a 429, the bucket is blocked
    for Slack's Retry-After. All times are monotonic seconds.
    """

    def __init__(self) -> None:
        self._full_at: dict[Bucket, float] = {}
        self._confirmed: dict[Bucket, float] = {}  # the same, counted from Slack's responses
        self._blocked_until: dict[Bucket, float] = {}  # after a 429

    def delay(self, post: NewMessage, now: float) -> float:
        """Return the seconds until the message may be sent; 0.0 means now."""
        waits = [
            max(
                self._blocked_until.get(bucket, 0.0),
                self._full_at.get(bucket, 0.0) - rate.burst_tolerance_seconds,
            )
            for bucket, rate in _buckets(post)
        ]
        return max(0.0, max(waits) - now)

    def acquire(self, post: NewMessage, now: float) -> None:
        """Count a message that is sent now."""
        self._drop_idle(now)
        for bucket, rate in _buckets(post):
            full_at = max(self._full_at.get(bucket, 0.0), now)
            self._full_at[bucket] = full_at + 1 / rate.per_second

    def confirm(self, post: NewMessage, now: float) -> None:
        """Count a message from Slack's response on, as Slack counts from its arrival.

        Under load a message arrives later than it was acquired here; the next one must wait longer.
        """
        bucket = _own_bucket(post)
        start = max(self._confirmed.get(bucket, 0.0), now)
        self._confirmed[bucket] = start + 1 / RATES[post.kind].per_second
        self._full_at[bucket] = max(self._full_at.get(bucket, 0.0), self._confirmed[bucket])

    def block_for(self, post: NewMessage, seconds: float, now: float, method: str = "") -> None:
        """Block a method after a 429, by default the message's own, for this many seconds."""
        if method == RESPONSE_URL:
            return
        bucket = _blocked_bucket(post, method)
        self._blocked_until[bucket] = max(self._blocked_until.get(bucket, 0.0), now + seconds)

    def _drop_idle(self, now: float) -> None:
        if len(self._full_at) > MAX_BUCKETS:
            self._full_at = {k: at for k, at in self._full_at.items() if at > now}
            self._confirmed = {k: at for k, at in self._confirmed.items() if at > now}
            self._blocked_until = {k: at for k, at in self._blocked_until.items() if at > now}


def round_robin(posts: Sequence[P]) -> list[P]:
    """Order messages round-robin over channels: urgent ones first, card updates last.

    Card updates have a bucket of their own.
    """
    counts: Counter[tuple[Bucket, bool]] = Counter()
    ranked: list[tuple[bool, bool, int, P]] = []
    for post in posts:
        key = _own_bucket(post), post.urgent
        ranked.append((post.kind is MessageKind.UPDATE, not post.urgent, counts[key], post))
        counts[key] += 1
    return [post for *_, post in sorted(ranked, key=lambda row: row[:3])]


def _buckets(post: NewMessage) -> list[tuple[Bucket, Rate]]:
    """Return the buckets that a message uses: its own, and that of a preceding call."""
    own = (_own_bucket(post), RATES[post.kind])
    if post.kind is MessageKind.DIRECT:
        return [own, _method_bucket(post, OPEN_METHOD)]
    if not _needs_lookup(post):
        return [own]
    return [own, _method_bucket(post, REPLIES_METHOD if _in_thread(post) else HISTORY_METHOD)]


def _in_thread(post: NewMessage) -> bool:
    """Return whether a message belongs in a thread."""
    thread_ts = post.body.get("thread_ts") or getattr(post, "watch_thread_ts", None)
    return bool(thread_ts or (post.watch_id and not post.creates_card))


def _needs_lookup(post: NewMessage) -> bool:
    """Return whether a message is looked up first; also one whose sender's lease expired."""
    if not isinstance(post, OutboxMessage) or post.kind is not MessageKind.POST:
        return False
    return post.unconfirmed or post.state is MessageState.SENDING


def _blocked_bucket(post: NewMessage, method: str) -> Bucket:
    if method in (HISTORY_METHOD, REPLIES_METHOD, OPEN_METHOD):
        return _method_bucket(post, method)[0]
    return _own_bucket(post)


def _method_bucket(post: NewMessage, method: str) -> tuple[Bucket, Rate]:
    return (post.workspace, method), TIER_3


def _own_bucket(post: NewMessage) -> Bucket:
    if post.kind in (MessageKind.POST, MessageKind.DIRECT):
        return post.workspace, post.kind, post.channel
    return post.workspace, post.kind
