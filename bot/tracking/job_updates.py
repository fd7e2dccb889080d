"""Persists poll results: job rows, notifications and card updates, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.commands import replies
from bot.delivery import message_metadata
from bot.delivery.messages import card, thread_of
from bot.notifications.decision import Happening, News
from bot.notifications.notifier import Notice, Notices, news_of
from bot.providers import fetch
from bot.sdk.cards import job_card
from bot.sdk.errors import JobNotFound, JobthreadError, ProviderError
from bot.store import Transaction, Watch, WatchedJob, WatchState
from bot.tracking import board_card, job_changes
from bot.tracking.boards import LOST, Redrawing

if TYPE_CHECKING:
    from collections.abc import Collection

    from bot.notifications.decision import Decision
    from bot.sdk.models import Change, Job, Message
    from bot.sdk.provider import Provider

TROUBLE_TOLD_AFTER = 3  # failed polls in a row, before the card shows it
LOST_AFTER = 5  # polls in a row without such a job, before the watch ends


@dataclass(frozen=True)
class Look:
    """One poll of a watched job: the stored row, and the job or the error."""

    watched: WatchedJob
    found: Job | JobthreadError
    at: datetime


@dataclass(frozen=True)
class Following:
    """Applies poll results to jobs, notifications and cards, all or nothing."""

    poll_seconds: float
    notices: Notices = field(default_factory=Notices)

    def next_due(self, job: Job, now: datetime) -> datetime | None:
        """Return when to poll a job again; None: it has ended."""
        if job.status.terminal:
            return None
        return now + timedelta(seconds=job_changes.next_look(job, now, shortest=self.poll_seconds))

    def view(self, watch: Watch, job: Job, now: datetime, **more: Any) -> job_card.View:
        """Return the context for a followed job's card."""
        return job_card.View(
            checked_at=now,
            followed=watch.state is WatchState.ACTIVE and not job.status.terminal,
            interval_seconds=self.poll_seconds,
            asker=watch.asker,
            **more,
        )

    async def write(
        self, tx: Transaction, provider: Provider[Any] | None, all_looks: list[Look]
    ) -> list[Change]:
        """Apply the results of one batch; return the changes that were notified.

        A result changes nothing if another process has stored a newer one.
        """
        changes: list[Change] = []
        unchanged: list[tuple[WatchedJob, datetime]] = []
        boards = Redrawing(all_looks[0].at)
        for result in all_looks:
            if isinstance(result.found, JobthreadError):
                await self._apply_failure(tx, provider, result, result.found, boards)
            elif result.found == result.watched.seen and not result.watched.trouble:
                unchanged.append(
                    (result.watched, self.next_due(result.found, result.at) or result.at)
                )
            else:
                changes += await self._apply_change(tx, provider, result, result.found, boards)
        if unchanged:
            await tx.jobs.unchanged(unchanged, all_looks[0].at)
        await boards.finish(tx)
        return changes

    async def _apply_change(
        self,
        tx: Transaction,
        provider: Provider[Any] | None,
        result: Look,
        job: Job,
        boards: Redrawing,
    ) -> list[Change]:
        """Store a changed job by compare-and-set; only the writer that succeeds notifies."""
        due = self.next_due(job, result.at)
        if not await tx.jobs.changed(result.watched, job, due_at=due, now=result.at):
            return []
        change = job_changes.compare(result.watched.seen, job)
        full_change = job_changes.compare(result.watched.seen, job, every_task=True)
        watches = await _watches(tx, result.watched)
        if result.watched.trouble and result.watched.trouble_since:
            since, message = result.watched.trouble_since, replies.well_again(str(job.ref))
            await self._notify_polling(tx, result, watches, Happening.WELL, since, message)
        for watch in watches:
            pending = await _has_pending_replies(tx, watch)
            if full_change:
                notice = self._notification(
                    watch, provider, result, change or full_change, full_change
                )
                await self.notices.tell(tx, [notice])
            await self._update_card(tx, provider, result, job, watch, boards, pending=pending)
        if job.status.terminal:
            await tx.watches.end([w.id for w in watches], now=result.at, reason="the job ended")
        return [change] if change and watches else []

    async def _update_card(
        self,
        tx: Transaction,
        provider: Provider[Any] | None,
        result: Look,
        job: Job,
        watch: Watch,
        boards: Redrawing,
        *,
        pending: bool,
    ) -> None:
        """Update a watch's card or board for a changed job, if its text differs.

        `pending`: replies about earlier changes are still in the outbox.
        """
        if watch.board_id and _row_changed(result.watched, job, result.at):
            boards.note(watch.board_id, urgent=job.status.terminal)
        if watch.board_id or watch.cardless:
            return
        view = self.view(watch, job, result.at)
        message = fetch.card(provider, job, view)
        if _card_changed(result.watched, message, provider, view):
            # Until the reply is posted, the thread has seen the state before it; with earlier
            # replies pending, the card keeps its metadata.
            before = message_metadata.by_card(watch, result.watched.seen, result.watched.revision)
            metadata = {} if pending else before
            update = card(watch, message, result.at, metadata, urgent=job.status.terminal)
            await tx.outbox.replace(update, result.at)

    def _notification(
        self,
        watch: Watch,
        provider: Provider[Any] | None,
        result: Look,
        change: Change,
        full_change: Change,
    ) -> Notice:
        """Return the notification of a change; `full_change` includes all succeeded tasks."""

        def draft(decision: Decision) -> Message:
            group = decision.mention if decision.mention != "asker" else ""
            mentioned = change.ends and bool(decision.mention)
            view = self.view(watch, change.after, result.at, mention=mentioned, group=group)
            return fetch.follow_up(provider, full_change if decision.every_task else change, view)

        revision = result.watched.revision + 1
        return Notice(
            watch=watch,
            key=str(revision),
            news=news_of(change),
            name=change.after.name,
            series=change.after.family,
            draft=draft,
            at=result.at,
            about=message_metadata.by_follow_up(watch, change.after, revision, over=change.ends),
            statuses=(change.before.status if change.before else None, change.after.status),
            urgent=change.ends,
        )

    async def _apply_failure(
        self,
        tx: Transaction,
        provider: Provider[Any] | None,
        result: Look,
        error: JobthreadError,
        boards: Redrawing,
    ) -> None:
        """Store a failed poll, and schedule the next one with backoff.

        Notifies only if no other process has stored a result meanwhile.
        """
        failures = abs(result.watched.failures) + 1
        not_found = _not_found_count(result.watched, error)
        persistent = failures >= TROUBLE_TOLD_AFTER
        sentence = result.watched.trouble or (error.sentence if persistent else "")
        stored = await tx.jobs.failed(
            result.watched,
            failures=-not_found or failures,
            trouble=sentence,
            trouble_since=result.watched.trouble_since or result.at,
            due_at=result.at + self._retry_delay(error, failures),
            now=result.at,
        )
        if stored and not_found >= LOST_AFTER:
            await self._end_missing(tx, result, boards)
        elif stored and sentence != result.watched.trouble:
            await self._show_failure(tx, provider, result, sentence, boards)

    def _retry_delay(self, error: JobthreadError, failures: int) -> timedelta:
        if not isinstance(error, ProviderError):
            return timedelta(seconds=job_changes.TROUBLE_SECONDS)
        seconds = job_changes.next_try(error, failures, shortest=self.poll_seconds)
        return timedelta(seconds=seconds)

    async def _show_failure(
        self,
        tx: Transaction,
        provider: Provider[Any] | None,
        result: Look,
        sentence: str,
        boards: Redrawing,
    ) -> None:
        since, job = result.watched.trouble_since or result.at, result.watched.seen
        if job is None:
            return
        message = replies.in_trouble(str(job.ref), sentence)
        watches = await _watches(tx, result.watched)
        await self._notify_polling(tx, result, watches, Happening.TROUBLE, since, message)
        for watch in watches:
            if watch.board_id:
                boards.note(watch.board_id)
            if watch.board_id or watch.cardless:
                continue
            view = self.view(watch, job, result.at, trouble=sentence, trouble_since=since)
            seen = message_metadata.by_card(watch, job, result.watched.revision)
            metadata = {} if await _has_pending_replies(tx, watch) else seen
            update = card(watch, fetch.card(provider, job, view), result.at, metadata)
            await tx.outbox.replace(update, result.at)

    async def _end_missing(self, tx: Transaction, result: Look, boards: Redrawing) -> None:
        """End the watches of a job that the provider no longer has, and notify their threads."""
        watches = await _watches(tx, result.watched)
        message = replies.lost(_name(result.watched), result.watched.ref)
        notices = [
            _final_notification(w, result.watched, "lost", message, result.at) for w in watches
        ]
        await self.notices.tell(tx, notices)
        await tx.watches.end([w.id for w in watches], now=result.at, reason=LOST)
        await tx.jobs.settle(result.watched.workspace, [result.watched.ref])
        boards.note_all(watches)

    async def _notify_polling(
        self,
        tx: Transaction,
        result: Look,
        watches: list[Watch],
        happening: Happening,
        since: datetime,
        message: Message,
    ) -> None:
        """Notify threads that polling fails or has recovered, once per failure period."""
        notices = [
            Notice(
                watch=watch,
                key=f"{happening}:{since.timestamp():.0f}",
                news=News(happening=happening),
                name=_name(result.watched),
                series=_series(result.watched),
                draft=lambda _: message,
                at=result.at,
            )
            for watch in watches
        ]
        await self.notices.tell(tx, notices)


async def abandon(tx: Transaction, names: Collection[str], now: datetime, notices: Notices) -> int:
    """End the watches of unconfigured connections and notify their threads; return their number."""
    if set(await tx.jobs.connections()) <= set(names):
        return 0
    orphaned = [w for w in await tx.watches.living() if w.ref.connection not in names]
    ended = [w for w in orphaned if w.state is WatchState.ACTIVE]  # unreachable: no notification
    reason = "its connection is no longer set up"
    boards = Redrawing(now)
    boards.note_all(ended)
    for watch in ended:
        watched = (await tx.jobs.get(watch.workspace, [watch.ref])).get(watch.ref)
        notice = _final_notification(watch, watched, "unset", replies.not_set_up(watch.ref), now)
        await notices.tell(tx, [notice])
        await tx.watches.end([watch.id], now=now, reason=reason)
        await tx.jobs.settle(watch.workspace, [watch.ref])
    await boards.finish(tx)
    return len(ended)


def _final_notification(
    watch: Watch, watched: WatchedJob | None, key: str, message: Message, now: datetime
) -> Notice:
    """Return the notification that ends a watch, with the reason."""
    seen, revision = (watched.seen, watched.revision) if watched else (None, 0)
    return Notice(
        watch=watch,
        key=key,
        news=News(happening=Happening.LOST),
        name=_name(watched) if watched else str(watch.ref),
        series=_series(watched) if watched else "",
        draft=lambda _: message,
        at=now,
        about=message_metadata.by_follow_up(watch, seen, revision, over=True),
        statuses=(seen.status if seen else None, None),
    )


def _name(watched: WatchedJob) -> str:
    return watched.seen.name if watched.seen else str(watched.ref)


def _series(watched: WatchedJob) -> str:
    return watched.seen.family if watched.seen else ""


def _not_found_count(watched: WatchedJob, error: JobthreadError) -> int:
    """Return how many polls in a row found no such job; another failure resets the count."""
    return 1 + max(0, -watched.failures) if isinstance(error, JobNotFound) else 0


def _card_changed(
    watched: WatchedJob, message: Message, provider: Provider[Any] | None, view: job_card.View
) -> bool:
    """Return whether the card differs from one of the previous state, rendered at the same time."""
    if watched.seen is None or watched.trouble:
        return True
    return fetch.card(provider, watched.seen, view) != message


def _row_changed(watched: WatchedJob, job: Job, now: datetime) -> bool:
    """Return whether the board row differs from the previous state's, rendered at the same time."""
    if watched.seen is None or watched.trouble:
        return True
    return board_card.reads_otherwise(watched.seen, job, now)


async def _has_pending_replies(tx: Transaction, watch: Watch) -> bool:
    """Return whether a watch with its own card has thread replies in the outbox."""
    if watch.board_id or watch.cardless:
        return False
    return bool(await tx.boards.unsaid(watch.workspace, thread_of(watch)))


async def _watches(tx: Transaction, watched: WatchedJob) -> list[Watch]:
    found = await tx.watches.of_jobs(watched.workspace, [watched.ref])
    return found.get(watched.ref, [])
