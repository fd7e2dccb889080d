"""Computes what an unreachable thread missed; builds its catch-up reply or reaction. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.commands import replies
from bot.delivery import coalescing, message_metadata
from bot.delivery.messages import reaction, reply
from bot.sdk.cards import blocks, job_text, overflow_menu
from bot.sdk.formatting import REACTIONS
from bot.store import PostKind
from bot.tracking import job_changes
from bot.tracking.board_card import headed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from bot.notifications.decision import Decision
    from bot.sdk.models import Job
    from bot.store import NewPost, Post, Watch


@dataclass(frozen=True)
class Gap:
    """The updates that a watch's thread missed while it was unreachable."""

    watch: Watch
    posts: Sequence[Post]  # dead letters of the thread
    before: Job | None  # last state that the thread has seen
    after: Job | None  # current state; None: no longer followed, so not polled
    revision: int = 0
    signs_shown: Sequence[Sequence[str]] = ()  # names of reactions already set in Slack

    @property
    def replies(self) -> list[Post]:
        """Replies that can be merged; unconfirmed ones keep their keys and are looked up."""
        return [p for p in self.posts if p.kind is PostKind.POST and not p.doubtful]

    @property
    def signs(self) -> list[Post]:
        """The dead-lettered reactions; only the newest is set."""
        return [post for post in self.posts if post.kind is PostKind.REACTION]

    @property
    def unknown(self) -> Job | None:
        """The job, if its current state differs from what the replies report."""
        if self.after is None or job_changes.compare(self.before, self.after) is None:
            return None
        return self.after

    @property
    def items(self) -> list[str]:
        """The texts of the dead-lettered replies, oldest first."""
        return [text for post in self.replies for text in coalescing.texts(post)]

    @property
    def signs_wanted(self) -> list[str]:
        """The reaction to set on the asker's message, then those to remove."""
        missed = [post.body["names"] for post in self.signs]
        last = missed[-1][0] if missed else ""
        newest = REACTIONS[self.after.status] if self.after else last
        others = {name for names in (*self.signs_shown, *missed) for name in names} - {newest}
        return [newest, *sorted(others)] if newest else []

    @property
    def about(self) -> message_metadata.About:
        """The state that the thread has seen after the catch-up."""
        if self.after is None:
            return coalescing.newest(self.replies) or {}
        over = self.after.status.terminal
        return message_metadata.by_follow_up(self.watch, self.after, self.revision, over=over)

    def key(self, now: datetime) -> str:
        """Return the idempotency key of the catch-up.

        It depends on the last dead letter, so concurrent retries share one key and a later retry
        gets a new one.
        """
        missed = [*self.replies, *self.signs]
        if not missed:
            return f"again:{now.timestamp():.0f}:{self.revision}"
        last = max(missed, key=lambda post: post.id)
        return f"again:{last.created_at.timestamp():.0f}:{self.revision}:{last.id}"


def bodies_of_replies(posts: Iterable[Post]) -> list[dict[str, Any]]:
    """Return the bodies of the thread replies among these messages."""
    return [post.body for post in posts if post.kind is PostKind.POST]


def follow_up(gap: Gap, name: str, outcome: Decision | None, now: datetime) -> NewPost:
    """Return one thread reply with all updates that a thread missed about the named job.

    `outcome`: the delivery decision for the job's end, if the thread missed it.
    """
    text = _CatchUpText(gap, outcome, now)
    message = replies.caught_up(text.since, gap.items, text.status_sentence, text.mention)
    message = headed(name, message) if gap.watch.board_id else message
    post = reply(
        gap.watch,
        gap.key(now),
        overflow_menu.under(message, followed=not gap.about.get("over")),
        now,
        about=gap.about,
        loud=any(p.body.get("broadcast") for p in gap.replies) or bool(outcome and outcome.loud),
        urgent=outcome is not None or any(p.urgent for p in gap.replies),
        reason="the thread could not be told for a while",
    )
    post.body["again"] = True
    post.body["items"] = text.items
    return post


@dataclass(frozen=True)
class _CatchUpText:
    """Values of the catch-up text beside the missed replies."""

    gap: Gap
    outcome: Decision | None
    now: datetime

    @property
    def status_sentence(self) -> str:
        """The job's current status, if no missed reply reports it."""
        job = self.gap.unknown
        return job_text.standing(job, self.now) if job else ""

    @property
    def mention(self) -> str:
        """The id of the user or the group that the outcome mentions."""
        wanted = self.outcome.mention if self.outcome else ""
        return self.gap.watch.asker if wanted == "asker" else wanted

    @property
    def since(self) -> datetime:
        """When the thread became unreachable."""
        return min(
            [p.created_at for p in self.gap.replies] or [self.gap.watch.ended_at or self.now]
        )

    @property
    def items(self) -> list[str]:
        """All texts of the catch-up, kept for another attempt in case Slack rejects this one."""
        if not self.status_sentence:
            return self.gap.items
        mention = blocks.mention(self.mention)
        suffix = f" {mention}" if mention else ""
        return [*self.gap.items, blocks.escape(self.status_sentence) + suffix]


def sign(gap: Gap, now: datetime) -> NewPost:
    """Return one reaction that shows the newest missed status."""
    reason = "the message could not be given its sign for a while"
    post = reaction(gap.watch, f"{gap.key(now)}:sign", gap.signs_wanted, now, reason=reason)
    post.body["again"] = True
    return post
