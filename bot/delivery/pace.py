"""How fast Slack may be called: one bucket a channel for posts, one a method for the rest."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from bot.store import NewPost, Post, PostKind, PostState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

P = TypeVar("P", bound=NewPost)

MOST_BUCKETS = 10_000  # full ones are forgotten beyond that
STEP_SECONDS = 60.0  # backwards: a clock that was set; less is one moment told after another


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
    PostKind.REACTION: Rate(per_second=25 / 60, burst=12),  # tier 3, and two calls each
    PostKind.EPHEMERAL: Rate(per_second=100 / 60, burst=50),
}


# What a message needs beside its own method, by that method; each takes tier 3.
IN_CHANNEL = "conversations.history"  # looks a message up that stands in the channel
IN_THREAD = "conversations.replies"  # looks a reply up
OPENING = "conversations.open"
RESPONSE_URL = "response_url"  # has a limit of its own, each of them
TIER_3 = Rate(per_second=50 / 60, burst=25)

Bucket = tuple[str, ...]


class Pace:
    """Says how long a message must wait; what Slack answers with 429 waits as long as it says.

    A bucket is one number, the moment at which it will be full again (the generic cell rate
    algorithm), so nothing ticks.
    """

    def __init__(self) -> None:
        self._full_at: dict[Bucket, float] = {}  # epoch seconds
        self._landed: dict[Bucket, float] = {}  # the same, counted from Slack's answers
        self._held: dict[Bucket, float] = {}  # epoch seconds: what was answered with 429
        self._present = 0.0  # epoch seconds: the latest moment that was told

    def delay(self, post: NewPost, now: datetime) -> float:
        """Return the seconds until the message may be sent; 0.0: now."""
        present = self._now(now)
        waits = [
            max(self._held.get(bucket, 0.0), self._full_at.get(bucket, 0.0) - rate.slack_seconds)
            for bucket, rate in _buckets(post)
        ]
        return max(0.0, max(waits) - present)

    def take(self, post: NewPost, now: datetime) -> None:
        """Note that the message is sent now."""
        present = self._now(now)
        self._forget(present)
        for bucket, rate in _buckets(post):
            full_at = max(self._full_at.get(bucket, 0.0), present)
            self._full_at[bucket] = full_at + 1 / rate.per_second

    def landed(self, post: NewPost, now: datetime) -> None:
        """Note that Slack has the message by now: its own count begins when that came in.

        In a crowd that is later than it was taken here, and what comes too early is refused.
        """
        bucket = _own(post)
        began = max(self._landed.get(bucket, 0.0), self._now(now))
        self._landed[bucket] = began + 1 / RATES[post.kind].per_second
        self._full_at[bucket] = max(self._full_at.get(bucket, 0.0), self._landed[bucket])

    def pause(self, post: NewPost, seconds: float, now: datetime, method: str = "") -> None:
        """Note that Slack wants no more calls of a method, the message's own, for so long."""
        if method == RESPONSE_URL:
            return
        bucket = _paused(post, method)
        self._held[bucket] = max(self._held.get(bucket, 0.0), self._now(now) + seconds)

    def _now(self, now: datetime) -> float:
        """Return the present; if the clock was set back, everything is set back with it."""
        present = now.timestamp()
        if present < self._present - STEP_SECONDS:
            step = self._present - present
            for times in (self._full_at, self._landed, self._held):
                times.update({bucket: at - step for bucket, at in times.items()})
            self._present = present
        self._present = max(self._present, present)
        return present

    def _forget(self, present: float) -> None:
        if len(self._full_at) > MOST_BUCKETS:
            self._full_at = {k: at for k, at in self._full_at.items() if at > present}
            self._landed = {k: at for k, at in self._landed.items() if at > present}
            self._held = {k: at for k, at in self._held.items() if at > present}


def in_turns(posts: Sequence[P]) -> list[P]:
    """Return messages in the order to send them: one of each channel, then another of each.

    What is urgent goes first, and cards last, as they have a bucket of their own.
    """
    seen: Counter[tuple[Bucket, bool]] = Counter()
    ranked: list[tuple[bool, bool, int, P]] = []
    for post in posts:
        mine = _own(post), post.urgent
        ranked.append((post.kind is PostKind.UPDATE, not post.urgent, seen[mine], post))
        seen[mine] += 1
    return [post for *_, post in sorted(ranked, key=lambda one: one[:3])]


def _buckets(post: NewPost) -> list[tuple[Bucket, Rate]]:
    """Return the buckets that sending a message draws from: its own, and what comes before."""
    own = (_own(post), RATES[post.kind])
    if post.kind is PostKind.DIRECT:
        return [own, _of_method(post, OPENING)]
    if not _looked_up(post):
        return [own]
    return [own, _of_method(post, IN_THREAD if _replies(post) else IN_CHANNEL)]


def _replies(post: NewPost) -> bool:
    """Whether a message stands in a thread."""
    asked_there = post.body.get("thread_ts") or getattr(post, "watch_thread_ts", None)
    return bool(asked_there or (post.watch_id and not post.roots_watch))


def _looked_up(post: NewPost) -> bool:
    """Whether a message is looked for in Slack first; so is one whose sender fell silent."""
    if not isinstance(post, Post) or post.kind is not PostKind.POST:
        return False
    return post.doubtful or post.state is PostState.SENDING


def _paused(post: NewPost, method: str) -> Bucket:
    if method in (IN_CHANNEL, IN_THREAD, OPENING):
        return _of_method(post, method)[0]
    return _own(post)


def _of_method(post: NewPost, method: str) -> tuple[Bucket, Rate]:
    return (post.workspace, method), TIER_3


def _own(post: NewPost) -> Bucket:
    if post.kind in (PostKind.POST, PostKind.DIRECT):
        return post.workspace, post.kind, post.channel
    return post.workspace, post.kind
