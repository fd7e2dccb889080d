"""Notifier: evaluates each event under the channel's policy, then enqueues or defers it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.delivery.messages import reaction, thread_reply
from bot.notifications.decision import JOB_MISSING_REACTION, Context, Decision, Event, evaluate
from bot.notifications.effective_settings import ChannelSettings, resolve
from bot.notifications.policy import HOUR, NotifySettings
from bot.sdk.cards import overflow_menu
from bot.sdk.formatting import REACTIONS
from bot.store import DecisionRecord, DeliveryAction, EventKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.delivery.message_metadata import Metadata
    from bot.notifications.policy import NotificationPolicy
    from bot.sdk.models import Change, Message, Status
    from bot.store import NewMessage, Transaction, Watch


def event_of(change: Change) -> Event:
    """Return the event of a job change."""
    ended = (*change.newly_failed, *change.newly_ended)
    failed = bool(change.newly_failed)
    if change.ends:
        return Event(kind=EventKind.OUTCOME, failed=change.after.status.failed)
    if change.status_changed:
        return Event(kind=EventKind.CHANGE, failed=failed)
    if any(task.announced for task in ended):
        return Event(kind=EventKind.RUN, failed=failed)
    return Event(kind=EventKind.TASK, failed=failed)


@dataclass(frozen=True)
class Notification:
    """One event for one watch, before it is evaluated."""

    watch: Watch
    key_suffix: str  # last part of the reply's idempotency key
    event: Event
    job_name: str  # of the job
    series: str  # name of the series that the job belongs to
    render: Callable[[Decision], Message]  # renders the thread reply
    at: datetime
    reacts: bool  # status reactions on the asker's message take the place of a card
    metadata: Metadata | None = None  # metadata of the thread reply
    statuses: tuple[Status | None, Status | None] = (None, None)  # before and after
    urgent: bool = False

    def reply_message(self, decision: Decision) -> NewMessage:
        """Return the thread reply, with its menu."""
        followed = self.event.kind not in (EventKind.OUTCOME, EventKind.JOB_MISSING)
        return thread_reply(
            self.watch,
            self.key_suffix,
            overflow_menu.with_menu(self.render(decision), followed=followed),
            self.at,
            reason=decision.reason,
            metadata=self.metadata,
            broadcast=decision.broadcast,
            urgent=self.urgent,
        )

    @property
    def status_changed(self) -> bool:
        """Whether the status of the job has changed."""
        return self.statuses[0] != self.statuses[1]

    def reaction_message(self, decision: Decision) -> NewMessage:
        """Return the status reaction on the asker's message."""
        before, after = (REACTIONS[status] if status else "" for status in self.statuses)
        names = [after or JOB_MISSING_REACTION, *([before] if before not in ("", after) else [])]
        return reaction(self.watch, self.key_suffix, names, self.at, reason=decision.reason)


@dataclass(frozen=True)
class Notifier:
    """Evaluates events; stores decisions and messages in the transaction of the event."""

    settings: NotifySettings = field(default_factory=NotifySettings)

    async def channel_settings(
        self, tx: Transaction, workspace: str, channel: str
    ) -> ChannelSettings:
        """Return the effective settings of a channel."""
        own = await tx.channel_settings.get(workspace, channel)
        return resolve(self.settings, channel, own)

    async def notify(self, tx: Transaction, notifications: Sequence[Notification]) -> None:
        """Evaluate each notification, then enqueue it, defer it, or update the card only."""
        for notification in notifications:
            watch = notification.watch
            policy, context = await self.load_context(
                tx,
                watch.workspace,
                watch.channel,
                watch.ref.connection,
                notification.series,
                notification.at,
            )
            context = context.replace(can_react=notification.reacts)
            await self._apply(
                tx, notification, evaluate(policy, notification.event, context), context
            )

    async def load_context(
        self,
        tx: Transaction,
        workspace: str,
        channel: str,
        connection: str,
        series: str,
        now: datetime,
    ) -> tuple[NotificationPolicy, Context]:
        """Return the policy of a channel, and the context of a decision about a series of jobs."""
        policy = (await self.channel_settings(tx, workspace, channel)).policy
        recent_posts, previously_failed = 0, False
        if policy.posts_per_hour is not None:
            recent_posts = await tx.decisions.count_posted(workspace, channel, now - HOUR)
        if policy.needs_history:
            previously_failed = await tx.decisions.last_failed(
                workspace, channel, connection, series
            )
        return policy, Context(
            now=now, recent_posts=recent_posts, previously_failed=previously_failed
        )

    async def _apply(
        self, tx: Transaction, notification: Notification, decision: Decision, context: Context
    ) -> None:
        """Store a decision and its messages; a decision that is stored already has no effect."""
        if decision.action is DeliveryAction.UPDATE and notification.event == _TASK_SUCCEEDED:
            return
        post = notification.reply_message(decision)
        if not await tx.decisions.add(_record(notification, decision, context, post)):
            return
        if decision.action is DeliveryAction.POST:
            await tx.outbox.add([post], notification.at)
        if decision.action is DeliveryAction.REACT:
            await tx.outbox.add([notification.reaction_message(decision)], notification.at)
        elif notification.reacts and notification.status_changed:
            status_reaction = replace(
                notification.reaction_message(decision),
                idempotency_key=f"{post.idempotency_key}:sign",
            )
            await tx.outbox.add([status_reaction], notification.at)


# A successful task is not recorded if no thread reply is wanted: only the card shows it.
_TASK_SUCCEEDED = Event(kind=EventKind.TASK)


def _record(
    notification: Notification, decision: Decision, context: Context, post: NewMessage
) -> DecisionRecord:
    deferred = decision.action in (DeliveryAction.DEFER, DeliveryAction.DIGEST)
    return DecisionRecord(
        workspace=post.workspace,
        idempotency_key=post.idempotency_key,
        channel=post.channel,
        watch_id=notification.watch.id,
        ref=notification.watch.ref,
        name=notification.job_name,
        series=notification.series,
        event_kind=notification.event.kind,
        failed=notification.event.failed,
        previously_failed=context.previously_failed,
        action=decision.action,
        rule=decision.rule,
        reason=decision.reason,
        text=post.body["message"]["text"],
        body=post.body if deferred else None,
        deferred_until=(decision.until or notification.at) if deferred else None,
        decided_at=notification.at,
    )
