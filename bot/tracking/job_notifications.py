"""Builds the notifications of a followed job: a change, failing polls, an ended watch. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.delivery import message_metadata
from bot.notifications.decision import Event
from bot.notifications.notifier import Notification, event_of
from bot.store import EventKind
from bot.tracking import job_changes

if TYPE_CHECKING:
    from datetime import datetime

    from bot.notifications.decision import Decision
    from bot.sdk.models import Change, Job, Message
    from bot.store import WatchedJob
    from bot.tracking.job_state import WatchRenderer
    from bot.tracking.presentation import Presentation


def change(
    shown: Presentation, renderer: WatchRenderer, watched: WatchedJob, job: Job, now: datetime
) -> Notification | None:
    """Return the notification of a changed job; None: no thread needs to know of the change."""
    full = job_changes.diff(watched.snapshot, job, every_task=True)
    if full is None:
        return None
    short = job_changes.diff(watched.snapshot, job) or full
    revision = watched.revision + 1
    return Notification(
        watch=shown.watch,
        key_suffix=str(revision),
        event=event_of(short),
        job_name=job.name,
        series=job.series_name,
        render=_ChangeReply(shown, renderer, short, full, now),
        at=now,
        reacts=shown.reacts,
        metadata=message_metadata.for_reply(shown.watch, job, revision, ended=short.ends),
        statuses=(short.before.status if short.before else None, job.status),
        urgent=short.ends,
    )


def polling(
    shown: Presentation,
    watched: WatchedJob,
    kind: EventKind,
    since: datetime,
    message: Message,
    now: datetime,
) -> Notification:
    """Return the notification that polling fails or has recovered; `since`: it failed first."""
    reply = shown.heading(job_name(watched), message)
    return Notification(
        watch=shown.watch,
        key_suffix=f"{kind}:{since.timestamp():.0f}",
        event=Event(kind=kind),
        job_name=job_name(watched),
        series=_series(watched),
        render=lambda _: reply,
        at=now,
        reacts=shown.reacts,
    )


def watch_ended(
    shown: Presentation,
    watched: WatchedJob | None,
    key_suffix: str,
    message: Message,
    now: datetime,
) -> Notification:
    """Return the notification that a watch ends before its job; the message says why."""
    seen, revision = (watched.snapshot, watched.revision) if watched else (None, 0)
    name = job_name(watched) if watched else str(shown.watch.ref)
    reply = shown.heading(name, message)
    return Notification(
        watch=shown.watch,
        key_suffix=key_suffix,
        event=Event(kind=EventKind.JOB_MISSING),
        job_name=name,
        series=_series(watched) if watched else "",
        render=lambda _: reply,
        at=now,
        reacts=shown.reacts,
        metadata=message_metadata.for_reply(shown.watch, seen, revision, ended=True),
        statuses=(seen.status if seen else None, None),
    )


def job_name(watched: WatchedJob) -> str:
    """Return the job's name; its reference before the first poll."""
    return watched.snapshot.name if watched.snapshot else str(watched.ref)


def _series(watched: WatchedJob) -> str:
    return watched.snapshot.series_name if watched.snapshot else ""


@dataclass(frozen=True)
class _ChangeReply:
    """Renders the thread reply about a change, as the decision says."""

    shown: Presentation
    renderer: WatchRenderer
    short: Change
    full: Change  # with all tasks that succeeded
    now: datetime

    def __call__(self, decision: Decision) -> Message:
        """Return the reply, headed by the job's name where its thread needs it."""
        group = decision.mention if decision.mention != "asker" else ""
        mentioned = self.short.ends and bool(decision.mention)
        context = self.renderer.context(
            self.shown.watch, self.short.after, self.now, mention=mentioned, group=group
        )
        reported = self.full if decision.all_tasks else self.short
        reply = self.renderer.thread_reply(reported, context)
        return self.shown.heading(self.short.after.name, reply)
