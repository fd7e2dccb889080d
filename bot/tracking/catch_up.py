"""Computes what an unreachable thread missed; builds its catch-up reply or reaction. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.delivery import coalescing, message_metadata, texts
from bot.delivery.messages import reaction, thread_reply
from bot.sdk.cards import blocks, job_text, overflow_menu
from bot.sdk.formatting import REACTIONS
from bot.store import MessageKind
from bot.tracking import job_changes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from bot.notifications.decision import Decision
    from bot.sdk.models import Job, Message
    from bot.store import NewMessage, OutboxMessage, Watch


@dataclass(frozen=True)
class MissedUpdates:
    """The updates that a watch's thread missed while it was unreachable."""

    watch: Watch
    dead_letters: Sequence[OutboxMessage]  # dead letters of the thread
    before: Job | None  # last state that the thread has seen
    after: Job | None  # current state; None: no longer followed, so not polled
    revision: int = 0
    reactions_shown: Sequence[Sequence[str]] = ()  # names of reactions already set in Slack

    @property
    def replies(self) -> list[OutboxMessage]:
        """Replies that can be merged; unconfirmed ones keep their keys and are looked up."""
        return [p for p in self.dead_letters if p.kind is MessageKind.POST and not p.unconfirmed]

    @property
    def reactions(self) -> list[OutboxMessage]:
        """The dead-lettered reactions; only the newest is set."""
        return [post for post in self.dead_letters if post.kind is MessageKind.REACTION]

    @property
    def unreported_job(self) -> Job | None:
        """The job, if its current state differs from what the replies report."""
        if self.after is None or job_changes.diff(self.before, self.after) is None:
            return None
        return self.after

    @property
    def items(self) -> list[str]:
        """The texts of the dead-lettered replies, oldest first."""
        return [text for post in self.replies for text in coalescing.reply_texts(post)]

    @property
    def reactions_wanted(self) -> list[str]:
        """The reaction to set on the asker's message, then those to remove."""
        missed = [post.body["names"] for post in self.reactions]
        last = missed[-1][0] if missed else ""
        newest = REACTIONS[self.after.status] if self.after else last
        others = {name for names in (*self.reactions_shown, *missed) for name in names} - {newest}
        return [newest, *sorted(others)] if newest else []

    @property
    def metadata(self) -> message_metadata.Metadata:
        """The state that the thread has seen after the catch-up."""
        if self.after is None:
            return coalescing.latest_metadata(self.replies) or {}
        over = self.after.status.terminal
        return message_metadata.for_reply(self.watch, self.after, self.revision, ended=over)

    def idempotency_key(self, now: datetime) -> str:
        """Return the idempotency key of the catch-up.

        It depends on the last dead letter, so concurrent retries share one key and a later retry
        gets a new one.
        """
        missed = [*self.replies, *self.reactions]
        if not missed:
            return f"again:{now.timestamp():.0f}:{self.revision}"
        last = max(missed, key=lambda post: post.id)
        return f"again:{last.created_at.timestamp():.0f}:{self.revision}:{last.id}"


def reply_bodies(posts: Iterable[OutboxMessage]) -> list[dict[str, Any]]:
    """Return the bodies of the thread replies among these messages."""
    return [post.body for post in posts if post.kind is MessageKind.POST]


def catch_up_reply(
    missed: MissedUpdates,
    name: str,
    outcome: Decision | None,
    now: datetime,
    heading: Callable[[str, Message], Message],
) -> NewMessage:
    """Return one thread reply with all updates that a thread missed about the named job.

    `outcome`: the delivery decision for the job's end, if the thread missed it; `heading`: adds
    the job's name to a message where its thread needs it.
    """
    text = _CatchUpText(missed, outcome, now)
    message = texts.catch_up(text.since, missed.items, text.status_sentence, text.mention)
    post = thread_reply(
        missed.watch,
        missed.idempotency_key(now),
        overflow_menu.with_menu(heading(name, message), followed=not missed.metadata.get("over")),
        now,
        metadata=missed.metadata,
        broadcast=any(p.body.get("broadcast") for p in missed.replies)
        or bool(outcome and outcome.broadcast),
        urgent=outcome is not None or any(p.urgent for p in missed.replies),
        reason="the thread could not be told for a while",
    )
    post.body["again"] = True
    post.body["items"] = text.items
    return post


@dataclass(frozen=True)
class _CatchUpText:
    """Values of the catch-up text beside the missed replies."""

    missed: MissedUpdates
    outcome: Decision | None
    now: datetime

    @property
    def status_sentence(self) -> str:
        """The job's current status, if no missed reply reports it."""
        job = self.missed.unreported_job
        return job_text.status_sentence(job, self.now) if job else ""

    @property
    def mention(self) -> str:
        """The id of the user or the group that the outcome mentions."""
        wanted = self.outcome.mention if self.outcome else ""
        return self.missed.watch.asker if wanted == "asker" else wanted

    @property
    def since(self) -> datetime:
        """When the thread became unreachable."""
        return min(
            [p.created_at for p in self.missed.replies] or [self.missed.watch.ended_at or self.now]
        )

    @property
    def items(self) -> list[str]:
        """All texts of the catch-up, kept for another attempt in case Slack rejects this one."""
        if not self.status_sentence:
            return self.missed.items
        mention = blocks.mention(self.mention)
        suffix = f" {mention}" if mention else ""
        return [*self.missed.items, blocks.escape(self.status_sentence) + suffix]


def catch_up_reaction(missed: MissedUpdates, now: datetime) -> NewMessage:
    """Return one reaction that shows the newest missed status."""
    reason = "the message could not be given its sign for a while"
    post = reaction(
        missed.watch,
        f"{missed.idempotency_key(now)}:sign",
        missed.reactions_wanted,
        now,
        reason=reason,
    )
    post.body["again"] = True
    return post
