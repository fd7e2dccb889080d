"""What a thread missed while it was silent, and the one message, or sign, that tells it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot import answers, lifecycle, told
from bot.cards import blocks, menu, sentences
from bot.cards.boardcards import headed
from bot.delivery import gathering
from bot.posts import reaction, reply
from bot.store import PostKind
from bot.words import REACTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from bot.models import Job
    from bot.noise.decision import Decision
    from bot.store import NewPost, Post, Watch


@dataclass(frozen=True)
class Gap:
    """What the thread of a watch missed."""

    watch: Watch
    posts: Sequence[Post]  # what was parked
    before: Job | None  # as the thread knows it
    after: Job | None  # as it is now; None: it was not looked at, as nobody follows it any more
    revision: int = 0
    signs_shown: Sequence[Sequence[str]] = ()  # names of reactions that Slack took

    @property
    def replies(self) -> list[Post]:
        """What is told in one; what may have reached Slack keeps its key and is looked up."""
        return [p for p in self.posts if p.kind is PostKind.POST and not p.doubtful]

    @property
    def signs(self) -> list[Post]:
        """The reactions that were kept, of which the newest is shown."""
        return [post for post in self.posts if post.kind is PostKind.REACTION]

    @property
    def unknown(self) -> Job | None:
        """The job, if it stands otherwise than the thread will know from the replies."""
        if self.after is None or lifecycle.compare(self.before, self.after) is None:
            return None
        return self.after

    @property
    def items(self) -> list[str]:
        """The texts that were kept, oldest first."""
        return [text for post in self.replies for text in gathering.texts(post)]

    @property
    def signs_wanted(self) -> list[str]:
        """The sign that is to stand on the asker's message, and all that it takes away."""
        kept = [post.body["names"] for post in self.signs]
        last = kept[-1][0] if kept else ""
        newest = REACTIONS[self.after.status] if self.after else last
        others = {name for names in (*self.signs_shown, *kept) for name in names} - {newest}
        return [newest, *sorted(others)] if newest else []

    @property
    def about(self) -> told.About:
        """What the thread knows afterwards."""
        if self.after is None:
            return gathering.newest(self.replies) or {}
        over = self.after.status.terminal
        return told.by_follow_up(self.watch, self.after, self.revision, over=over)

    def key(self, now: datetime) -> str:
        """Return the key of what catches up: another for whatever else a thread missed.

        A catching-up that is refused at once is caught up with in the same second, under another
        key; two who find the same messages parked tell them under one.
        """
        kept = [*self.replies, *self.signs]
        if not kept:
            return f"again:{now.timestamp():.0f}:{self.revision}"
        last = max(kept, key=lambda post: post.id)
        return f"again:{last.created_at.timestamp():.0f}:{self.revision}:{last.id}"


def bodies_of_replies(posts: Iterable[Post]) -> list[dict[str, Any]]:
    """Return what follow-ups among these messages hold."""
    return [post.body for post in posts if post.kind is PostKind.POST]


def follow_up(gap: Gap, name: str, outcome: Decision | None, now: datetime) -> NewPost:
    """Return the one follow-up that tells all that a thread missed of the job of this name.

    `outcome`: how the channel would hear that the job has ended, if that is among it unsaid.
    """
    said = _Said(gap, outcome, now)
    message = answers.caught_up(said.since, gap.items, said.standing, said.called)
    message = headed(name, message) if gap.watch.board_id else message
    post = reply(
        gap.watch,
        gap.key(now),
        menu.under(message, followed=not gap.about.get("over")),
        now,
        about=gap.about,
        loud=any(p.body.get("broadcast") for p in gap.replies) or bool(outcome and outcome.loud),
        urgent=outcome is not None or any(p.urgent for p in gap.replies),
        reason="the thread could not be told for a while",
    )
    post.body["again"] = True
    post.body["items"] = said.items
    return post


@dataclass(frozen=True)
class _Said:
    """What is said of a gap beside what was kept."""

    gap: Gap
    outcome: Decision | None
    now: datetime

    @property
    def standing(self) -> str:
        """How the job stands, if that was not kept."""
        job = self.gap.unknown
        return sentences.standing(job, self.now) if job else ""

    @property
    def called(self) -> str:
        """The id of the person or the group that the outcome calls."""
        wanted = self.outcome.mention if self.outcome else ""
        return self.gap.watch.asker if wanted == "asker" else wanted

    @property
    def since(self) -> datetime:
        """When the thread fell silent."""
        return min(
            [p.created_at for p in self.gap.replies] or [self.gap.watch.ended_at or self.now]
        )

    @property
    def items(self) -> list[str]:
        """All of it, to be told once more if Slack refuses this as well."""
        if not self.standing:
            return self.gap.items
        mention = blocks.mention(self.called)
        calls = f" {mention}" if mention else ""
        return [*self.gap.items, blocks.escape(self.standing) + calls]


def sign(gap: Gap, now: datetime) -> NewPost:
    """Return the one reaction that shows all that was missed."""
    why = "the message could not be given its sign for a while"
    post = reaction(gap.watch, f"{gap.key(now)}:sign", gap.signs_wanted, now, reason=why)
    post.body["again"] = True
    return post
