"""Notices: what happens to followed jobs, said as each channel's contract has it, and why kept."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.cards import menu
from bot.cards.boardcards import headed
from bot.noise.contracts import Contract, contract
from bot.noise.decision import (
    LOST_REACTION,
    Action,
    Context,
    Decision,
    Happening,
    News,
    decide,
)
from bot.noise.policy import HOUR
from bot.posts import reaction, reply
from bot.settings import NotifySettings
from bot.store import Decided
from bot.words import REACTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.models import Change, Message, Status
    from bot.noise.policy import NoisePolicy
    from bot.store import NewPost, Transaction, Watch
    from bot.told import About


def news_of(change: Change) -> News:
    """Return what a change is as far as noise is concerned."""
    ended = (*change.newly_failed, *change.newly_ended)
    failed = bool(change.newly_failed)
    if change.ends:
        return News(happening=Happening.OUTCOME, bad=change.after.status.bad)
    if change.status_changed:
        return News(happening=Happening.CHANGE, bad=failed)
    if any(task.announced for task in ended):
        return News(happening=Happening.RUN, bad=failed)
    return News(happening=Happening.TASK, bad=failed)


@dataclass(frozen=True)
class Notice:
    """One piece of news for one watch, before anything is decided about it."""

    watch: Watch
    key: str  # of its follow-up, within the watch
    news: News
    name: str  # of the job
    series: str  # what the job is one of
    draft: Callable[[Decision], Message]  # the follow-up, once it is decided
    at: datetime
    about: About | None = None  # what the follow-up's metadata tell
    statuses: tuple[Status | None, Status | None] = (None, None)  # before and after
    urgent: bool = False

    def post(self, decision: Decision) -> NewPost:
        """Return the follow-up, with the menu that tells why it is there.

        On a board it is headed by the job's name.
        """
        followed = self.news.happening not in (Happening.OUTCOME, Happening.LOST)
        message = self.draft(decision)
        message = headed(self.name, message) if self.watch.board_id else message
        return reply(
            self.watch,
            self.key,
            menu.under(message, followed=followed),
            self.at,
            reason=decision.reason,
            about=self.about,
            loud=decision.loud,
            urgent=self.urgent,
        )

    @property
    def moved(self) -> bool:
        """Whether the job has another status now."""
        return self.statuses[0] != self.statuses[1]

    def reaction(self, decision: Decision) -> NewPost:
        """Return the reaction that tells the status on the asker's message."""
        before, after = (REACTIONS[status] if status else "" for status in self.statuses)
        names = [after or LOST_REACTION, *([before] if before not in ("", after) else [])]
        return reaction(self.watch, self.key, names, self.at, reason=decision.reason)


@dataclass(frozen=True)
class Notices:
    """Decides about news and writes down what comes of it, in the transaction of the news."""

    notify: NotifySettings = field(default_factory=NotifySettings)

    async def contract(self, tx: Transaction, workspace: str, channel: str) -> Contract:
        """Return what holds in a channel."""
        own = await tx.contracts.get(workspace, channel)
        return contract(self.notify, channel, own)

    async def tell(self, tx: Transaction, notices: Sequence[Notice]) -> None:
        """Decide about each notice, and say it, hold it, or leave it to the card."""
        for notice in notices:
            watch = notice.watch
            policy, context = await self.surroundings(
                tx, watch.workspace, watch.channel, watch.ref.connection, notice.series, notice.at
            )
            context = context.but(can_react=watch.said_ts is not None)
            await self._carry_out(tx, notice, decide(policy, notice.news, context), context)

    async def surroundings(
        self,
        tx: Transaction,
        workspace: str,
        channel: str,
        connection: str,
        series: str,
        now: datetime,
    ) -> tuple[NoisePolicy, Context]:
        """Return the policy of a channel, and what was said there about jobs of a series."""
        policy = (await self.contract(tx, workspace, channel)).policy
        spoken, was_bad = 0, False
        if policy.posts_per_hour is not None:
            spoken = await tx.decisions.spoken(workspace, channel, now - HOUR)
        if policy.looks_back:
            was_bad = await tx.decisions.was_bad(workspace, channel, connection, series)
        return policy, Context(now=now, spoken=spoken, was_bad=was_bad)

    async def _carry_out(
        self, tx: Transaction, notice: Notice, decision: Decision, context: Context
    ) -> None:
        """Write a decision down, and what it does; one that is known already does nothing."""
        if decision.action is Action.UPDATE and notice.news == _ONE_MORE_DONE:
            return
        post = notice.post(decision)
        if not await tx.decisions.add(_decided(notice, decision, context, post)):
            return
        if decision.action is Action.POST:
            await tx.outbox.add([post], notice.at)
        if decision.action is Action.REACT:
            await tx.outbox.add([notice.reaction(decision)], notice.at)
        elif notice.watch.cardless and notice.moved:  # what shows the state in a card's place
            sign = replace(notice.reaction(decision), key=f"{post.key}:sign")
            await tx.outbox.add([sign], notice.at)


# That a task went well is no news where nobody hears of such: only a card shows it, as ever.
_ONE_MORE_DONE = News(happening=Happening.TASK)


def _decided(notice: Notice, decision: Decision, context: Context, post: NewPost) -> Decided:
    waits = decision.action in (Action.HOLD, Action.DIGEST)
    return Decided(
        workspace=post.workspace,
        key=post.key,
        channel=post.channel,
        watch_id=notice.watch.id,
        ref=notice.watch.ref,
        name=notice.name,
        series=notice.series,
        happening=notice.news.happening,
        bad=notice.news.bad,
        was_bad=context.was_bad,
        action=decision.action,
        rule=decision.rule,
        reason=decision.reason,
        text=post.body["message"]["text"],
        body=post.body if waits else None,
        until=(decision.until or notice.at) if waits else None,
        at=notice.at,
    )
