"""Notifier: evaluates each event under the channel's policy, then enqueues or defers it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.delivery.messages import reaction, reply
from bot.notifications.decision import (
    LOST_REACTION,
    Action,
    Context,
    Decision,
    Happening,
    News,
    decide,
)
from bot.notifications.effective_settings import Contract, contract
from bot.notifications.policy import HOUR
from bot.sdk.cards import overflow_menu
from bot.sdk.formatting import REACTIONS
from bot.settings import NotifySettings
from bot.store import Decided
from bot.tracking.board_card import headed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.delivery.message_metadata import About
    from bot.notifications.policy import NoisePolicy
    from bot.sdk.models import Change, Message, Status
    from bot.store import NewPost, Transaction, Watch


def news_of(change: Change) -> News:
    """Return the event of a job change."""
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
    """One event for one watch, before it is evaluated."""

    watch: Watch
    key: str  # last part of the reply's idempotency key
    news: News
    name: str  # of the job
    series: str  # name of the series that the job belongs to
    draft: Callable[[Decision], Message]  # renders the thread reply
    at: datetime
    about: About | None = None  # metadata of the thread reply
    statuses: tuple[Status | None, Status | None] = (None, None)  # before and after
    urgent: bool = False

    def post(self, decision: Decision) -> NewPost:
        """Return the thread reply, with its menu; under a board, the job's name is its heading."""
        followed = self.news.happening not in (Happening.OUTCOME, Happening.LOST)
        message = self.draft(decision)
        message = headed(self.name, message) if self.watch.board_id else message
        return reply(
            self.watch,
            self.key,
            overflow_menu.under(message, followed=followed),
            self.at,
            reason=decision.reason,
            about=self.about,
            loud=decision.loud,
            urgent=self.urgent,
        )

    @property
    def moved(self) -> bool:
        """Whether the status of the job has changed."""
        return self.statuses[0] != self.statuses[1]

    def reaction(self, decision: Decision) -> NewPost:
        """Return the status reaction on the asker's message."""
        before, after = (REACTIONS[status] if status else "" for status in self.statuses)
        names = [after or LOST_REACTION, *([before] if before not in ("", after) else [])]
        return reaction(self.watch, self.key, names, self.at, reason=decision.reason)


@dataclass(frozen=True)
class Notices:
    """Evaluates events; stores decisions and messages in the transaction of the event."""

    notify: NotifySettings = field(default_factory=NotifySettings)

    async def contract(self, tx: Transaction, workspace: str, channel: str) -> Contract:
        """Return the effective settings of a channel."""
        own = await tx.contracts.get(workspace, channel)
        return contract(self.notify, channel, own)

    async def tell(self, tx: Transaction, notifications: Sequence[Notice]) -> None:
        """Evaluate each notification, then enqueue it, defer it, or update the card only."""
        for notification in notifications:
            watch = notification.watch
            policy, context = await self.surroundings(
                tx,
                watch.workspace,
                watch.channel,
                watch.ref.connection,
                notification.series,
                notification.at,
            )
            context = context.but(can_react=watch.said_ts is not None)
            await self._apply(tx, notification, decide(policy, notification.news, context), context)

    async def surroundings(
        self,
        tx: Transaction,
        workspace: str,
        channel: str,
        connection: str,
        series: str,
        now: datetime,
    ) -> tuple[NoisePolicy, Context]:
        """Return the policy of a channel, and the context of a decision about a series of jobs."""
        policy = (await self.contract(tx, workspace, channel)).policy
        recent_posts, was_bad = 0, False
        if policy.posts_per_hour is not None:
            recent_posts = await tx.decisions.spoken(workspace, channel, now - HOUR)
        if policy.looks_back:
            was_bad = await tx.decisions.was_bad(workspace, channel, connection, series)
        return policy, Context(now=now, spoken=recent_posts, was_bad=was_bad)

    async def _apply(
        self, tx: Transaction, notification: Notice, decision: Decision, context: Context
    ) -> None:
        """Store a decision and its messages; a decision that is stored already has no effect."""
        if decision.action is Action.UPDATE and notification.news == _TASK_SUCCEEDED:
            return
        post = notification.post(decision)
        if not await tx.decisions.add(_record(notification, decision, context, post)):
            return
        if decision.action is Action.POST:
            await tx.outbox.add([post], notification.at)
        if decision.action is Action.REACT:
            await tx.outbox.add([notification.reaction(decision)], notification.at)
        elif notification.watch.cardless and notification.moved:
            # The status reaction takes the place of a card.
            status_reaction = replace(notification.reaction(decision), key=f"{post.key}:sign")
            await tx.outbox.add([status_reaction], notification.at)


# A successful task is not recorded if no thread reply is wanted: only the card shows it.
_TASK_SUCCEEDED = News(happening=Happening.TASK)


def _record(notification: Notice, decision: Decision, context: Context, post: NewPost) -> Decided:
    deferred = decision.action in (Action.HOLD, Action.DIGEST)
    return Decided(
        workspace=post.workspace,
        key=post.key,
        channel=post.channel,
        watch_id=notification.watch.id,
        ref=notification.watch.ref,
        name=notification.name,
        series=notification.series,
        happening=notification.news.happening,
        bad=notification.news.bad,
        was_bad=context.was_bad,
        action=decision.action,
        rule=decision.rule,
        reason=decision.reason,
        text=post.body["message"]["text"],
        body=post.body if deferred else None,
        until=(decision.until or notification.at) if deferred else None,
        at=notification.at,
    )
