"""Persists poll results: job rows, notifications and card updates, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.delivery import message_metadata
from bot.delivery.messages import card_update, ordering_key
from bot.notifications.decision import Event
from bot.notifications.notifier import Notification, Notifier, event_of
from bot.sdk.cards import job_card
from bot.sdk.errors import JobNotFound, JobthreadError, ProviderError
from bot.store import EventKind, Transaction, Watch, WatchedJob, WatchState
from bot.tracking import board_card, job_changes, texts
from bot.tracking.boards import JOB_NOT_FOUND, PendingRedraws

if TYPE_CHECKING:
    from collections.abc import Collection

    from bot.notifications.decision import Decision
    from bot.providers.renderer import JobRenderer
    from bot.sdk.models import Change, Job, Message

FAILURES_BEFORE_NOTICE = 3  # failed polls in a row, before the card shows it
NOT_FOUND_BEFORE_END = 5  # polls in a row without such a job, before the watch ends


@dataclass(frozen=True)
class PollResult:
    """One poll of a watched job: the stored row, and the job or the error."""

    watched: WatchedJob
    found: Job | JobthreadError
    polled_at: datetime


@dataclass(frozen=True)
class JobUpdates:
    """Applies poll results to jobs, notifications and cards, all or nothing."""

    poll_seconds: float
    notifier: Notifier = field(default_factory=Notifier)

    def next_poll_at(self, job: Job, now: datetime) -> datetime | None:
        """Return when to poll a job again; None: it has ended."""
        if job.status.terminal:
            return None
        return now + timedelta(
            seconds=job_changes.poll_interval(job, now, min_seconds=self.poll_seconds)
        )

    def card_context(
        self, watch: Watch, job: Job, now: datetime, **more: Any
    ) -> job_card.CardContext:
        """Return the context for a followed job's card."""
        return job_card.CardContext(
            checked_at=now,
            followed=watch.state is WatchState.ACTIVE and not job.status.terminal,
            interval_seconds=self.poll_seconds,
            asker=watch.asker,
            **more,
        )

    async def apply(
        self, tx: Transaction, renderer: JobRenderer, results: list[PollResult]
    ) -> list[Change]:
        """Apply the results of one batch; return the changes that were notified.

        A result changes nothing if another process has stored a newer one.
        """
        changes: list[Change] = []
        unchanged: list[tuple[WatchedJob, datetime]] = []
        boards = PendingRedraws(results[0].polled_at)
        for result in results:
            if isinstance(result.found, JobthreadError):
                await self._apply_failure(tx, renderer, result, result.found, boards)
            elif result.found == result.watched.snapshot and not result.watched.error:
                unchanged.append(
                    (
                        result.watched,
                        self.next_poll_at(result.found, result.polled_at) or result.polled_at,
                    )
                )
            else:
                changes += await self._apply_change(tx, renderer, result, result.found, boards)
        if unchanged:
            await tx.jobs.touch(unchanged, results[0].polled_at)
        await boards.redraw_all(tx)
        return changes

    async def _apply_change(
        self,
        tx: Transaction,
        renderer: JobRenderer,
        result: PollResult,
        job: Job,
        boards: PendingRedraws,
    ) -> list[Change]:
        """Store a changed job by compare-and-set; only the writer that succeeds notifies."""
        due = self.next_poll_at(job, result.polled_at)
        if not await tx.jobs.compare_and_set(result.watched, job, due_at=due, now=result.polled_at):
            return []
        change = job_changes.diff(result.watched.snapshot, job)
        full_change = job_changes.diff(result.watched.snapshot, job, every_task=True)
        watches = await _watches(tx, result.watched)
        if result.watched.error and result.watched.failing_since:
            since, message = result.watched.failing_since, texts.polling_recovered(str(job.ref))
            await self._notify_polling(
                tx, result, watches, EventKind.POLLING_RECOVERED, since, message
            )
        for watch in watches:
            pending = await _has_pending_replies(tx, watch)
            if full_change:
                notice = self._notification(
                    watch, renderer, result, change or full_change, full_change
                )
                await self.notifier.notify(tx, [notice])
            await self._update_card(tx, renderer, result, job, watch, boards, pending=pending)
        if job.status.terminal:
            await tx.watches.end(
                [w.id for w in watches], now=result.polled_at, reason="the job ended"
            )
        return [change] if change and watches else []

    async def _update_card(
        self,
        tx: Transaction,
        renderer: JobRenderer,
        result: PollResult,
        job: Job,
        watch: Watch,
        boards: PendingRedraws,
        *,
        pending: bool,
    ) -> None:
        """Update a watch's card or board for a changed job, if its text differs.

        `pending`: replies about earlier changes are still in the outbox.
        """
        if watch.board_id and _row_changed(result.watched, job, result.polled_at):
            boards.add(watch.board_id, urgent=job.status.terminal)
        if watch.board_id or watch.uses_reactions:
            return
        view = self.card_context(watch, job, result.polled_at)
        message = renderer.card(job, view)
        if _card_changed(result.watched, message, renderer, view):
            # Until the reply is posted, the thread has seen the state before it; with earlier
            # replies pending, the card keeps its metadata.
            before = message_metadata.for_card(
                watch, result.watched.snapshot, result.watched.revision
            )
            metadata = {} if pending else before
            update = card_update(
                watch, message, result.polled_at, metadata, urgent=job.status.terminal
            )
            await tx.outbox.replace(update, result.polled_at)

    def _notification(
        self,
        watch: Watch,
        renderer: JobRenderer,
        result: PollResult,
        change: Change,
        full_change: Change,
    ) -> Notification:
        """Return the notification of a change; `full_change` includes all succeeded tasks."""

        def draft(decision: Decision) -> Message:
            group = decision.mention if decision.mention != "asker" else ""
            mentioned = change.ends and bool(decision.mention)
            view = self.card_context(
                watch, change.after, result.polled_at, mention=mentioned, group=group
            )
            return renderer.reply(full_change if decision.all_tasks else change, view)

        revision = result.watched.revision + 1
        return Notification(
            watch=watch,
            key_suffix=str(revision),
            event=event_of(change),
            job_name=change.after.name,
            series=change.after.series_name,
            render=draft,
            at=result.polled_at,
            metadata=message_metadata.for_reply(watch, change.after, revision, ended=change.ends),
            statuses=(change.before.status if change.before else None, change.after.status),
            urgent=change.ends,
        )

    async def _apply_failure(
        self,
        tx: Transaction,
        renderer: JobRenderer,
        result: PollResult,
        error: JobthreadError,
        boards: PendingRedraws,
    ) -> None:
        """Store a failed poll, and schedule the next one with backoff.

        Notifies only if no other process has stored a result meanwhile.
        """
        failures = abs(result.watched.failures) + 1
        not_found = _not_found_count(result.watched, error)
        persistent = failures >= FAILURES_BEFORE_NOTICE
        sentence = result.watched.error or (error.sentence if persistent else "")
        stored = await tx.jobs.record_failure(
            result.watched,
            failures=-not_found or failures,
            error=sentence,
            failing_since=result.watched.failing_since or result.polled_at,
            due_at=result.polled_at + self._retry_delay(error, failures),
            now=result.polled_at,
        )
        if stored and not_found >= NOT_FOUND_BEFORE_END:
            await self._end_missing(tx, result, boards)
        elif stored and sentence != result.watched.error:
            await self._show_failure(tx, renderer, result, sentence, boards)

    def _retry_delay(self, error: JobthreadError, failures: int) -> timedelta:
        if not isinstance(error, ProviderError):
            return timedelta(seconds=job_changes.MAX_BACKOFF_SECONDS)
        seconds = job_changes.retry_delay(error, failures, min_seconds=self.poll_seconds)
        return timedelta(seconds=seconds)

    async def _show_failure(
        self,
        tx: Transaction,
        renderer: JobRenderer,
        result: PollResult,
        sentence: str,
        boards: PendingRedraws,
    ) -> None:
        since, job = result.watched.failing_since or result.polled_at, result.watched.snapshot
        if job is None:
            return
        message = texts.polling_failed(str(job.ref), sentence)
        watches = await _watches(tx, result.watched)
        await self._notify_polling(tx, result, watches, EventKind.POLLING_FAILED, since, message)
        for watch in watches:
            if watch.board_id:
                boards.add(watch.board_id)
            if watch.board_id or watch.uses_reactions:
                continue
            view = self.card_context(
                watch, job, result.polled_at, trouble=sentence, trouble_since=since
            )
            seen = message_metadata.for_card(watch, job, result.watched.revision)
            metadata = {} if await _has_pending_replies(tx, watch) else seen
            update = card_update(watch, renderer.card(job, view), result.polled_at, metadata)
            await tx.outbox.replace(update, result.polled_at)

    async def _end_missing(
        self, tx: Transaction, result: PollResult, boards: PendingRedraws
    ) -> None:
        """End the watches of a job that the provider no longer has, and notify their threads."""
        watches = await _watches(tx, result.watched)
        message = texts.job_missing(_name(result.watched), result.watched.ref)
        notices = [
            _final_notification(w, result.watched, "missing", message, result.polled_at)
            for w in watches
        ]
        await self.notifier.notify(tx, notices)
        await tx.watches.end([w.id for w in watches], now=result.polled_at, reason=JOB_NOT_FOUND)
        await tx.jobs.sleep_unwatched(result.watched.workspace, [result.watched.ref])
        boards.add_all(watches)

    async def _notify_polling(
        self,
        tx: Transaction,
        result: PollResult,
        watches: list[Watch],
        event_kind: EventKind,
        since: datetime,
        message: Message,
    ) -> None:
        """Notify threads that polling fails or has recovered, once per failure period."""
        notices = [
            Notification(
                watch=watch,
                key_suffix=f"{event_kind}:{since.timestamp():.0f}",
                event=Event(kind=event_kind),
                job_name=_name(result.watched),
                series=_series(result.watched),
                render=lambda _: message,
                at=result.polled_at,
            )
            for watch in watches
        ]
        await self.notifier.notify(tx, notices)


async def end_unconfigured(
    tx: Transaction, connections: Collection[str], now: datetime, notifier: Notifier
) -> int:
    """End the watches of unconfigured connections and notify their threads; return their number."""
    if set(await tx.jobs.connections()) <= set(connections):
        return 0
    orphaned = [w for w in await tx.watches.list_open() if w.ref.connection not in connections]
    ended = [w for w in orphaned if w.state is WatchState.ACTIVE]  # unreachable: no notification
    reason = "its connection is no longer set up"
    boards = PendingRedraws(now)
    boards.add_all(ended)
    for watch in ended:
        watched = (await tx.jobs.get(watch.workspace, [watch.ref])).get(watch.ref)
        notice = _final_notification(
            watch, watched, "unset", texts.connection_removed(watch.ref), now
        )
        await notifier.notify(tx, [notice])
        await tx.watches.end([watch.id], now=now, reason=reason)
        await tx.jobs.sleep_unwatched(watch.workspace, [watch.ref])
    await boards.redraw_all(tx)
    return len(ended)


def _final_notification(
    watch: Watch, watched: WatchedJob | None, key: str, message: Message, now: datetime
) -> Notification:
    """Return the notification that ends a watch, with the reason."""
    seen, revision = (watched.snapshot, watched.revision) if watched else (None, 0)
    return Notification(
        watch=watch,
        key_suffix=key,
        event=Event(kind=EventKind.JOB_MISSING),
        job_name=_name(watched) if watched else str(watch.ref),
        series=_series(watched) if watched else "",
        render=lambda _: message,
        at=now,
        metadata=message_metadata.for_reply(watch, seen, revision, ended=True),
        statuses=(seen.status if seen else None, None),
    )


def _name(watched: WatchedJob) -> str:
    return watched.snapshot.name if watched.snapshot else str(watched.ref)


def _series(watched: WatchedJob) -> str:
    return watched.snapshot.series_name if watched.snapshot else ""


def _not_found_count(watched: WatchedJob, error: JobthreadError) -> int:
    """Return how many polls in a row found no such job; another failure resets the count."""
    return 1 + max(0, -watched.failures) if isinstance(error, JobNotFound) else 0


def _card_changed(
    watched: WatchedJob,
    message: Message,
    renderer: JobRenderer,
    view: job_card.CardContext,
) -> bool:
    """Return whether the card differs from one of the previous state, rendered at the same time."""
    if watched.snapshot is None or watched.error:
        return True
    return renderer.card(watched.snapshot, view) != message


def _row_changed(watched: WatchedJob, job: Job, now: datetime) -> bool:
    """Return whether the board row differs from the previous state's, rendered at the same time."""
    if watched.snapshot is None or watched.error:
        return True
    return board_card.row_changed(watched.snapshot, job, now)


async def _has_pending_replies(tx: Transaction, watch: Watch) -> bool:
    """Return whether a watch with its own card has thread replies in the outbox."""
    if watch.board_id or watch.uses_reactions:
        return False
    return bool(await tx.boards.watches_with_pending(watch.workspace, ordering_key(watch)))


async def _watches(tx: Transaction, watched: WatchedJob) -> list[Watch]:
    found = await tx.watches.of_jobs(watched.workspace, [watched.ref])
    return found.get(watched.ref, [])
