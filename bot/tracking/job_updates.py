"""Persists poll results: job rows, notifications and card updates, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.notifications.notifier import Notifier
from bot.sdk.backoff import JITTER, Jitter
from bot.sdk.errors import JobNotFound, JobthreadError, ProviderError
from bot.store import EventKind, Transaction, Watch, WatchedJob
from bot.tracking import job_changes, job_notifications, texts
from bot.tracking.boards import JOB_NOT_FOUND, PendingUpdates
from bot.tracking.job_state import JobState, WatchRenderer
from bot.tracking.presentation import presentation_of

if TYPE_CHECKING:
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

    @property
    def unchanged(self) -> bool:
        """Whether the job is as stored, without a failure that is over now."""
        return self.found == self.watched.snapshot and not self.watched.error

    @property
    def not_found_count(self) -> int:
        """How many polls in a row found no such job; another failure resets the count."""
        return 1 + max(0, -self.watched.failures) if isinstance(self.found, JobNotFound) else 0


@dataclass(frozen=True)
class JobUpdates:
    """Applies poll results to jobs, notifications and cards, all or nothing."""

    poll_seconds: float
    notifier: Notifier = field(default_factory=Notifier)
    jitter: Jitter = JITTER

    def next_poll_at(self, job: Job, now: datetime) -> datetime | None:
        """Return when to poll a job again; None: it has ended."""
        if job.status.terminal:
            return None
        return now + timedelta(
            seconds=job_changes.poll_interval(job, now, min_seconds=self.poll_seconds)
        )

    def retry_delay(self, error: JobthreadError, failures: int) -> timedelta:
        """Return the time until the next poll after this many failures in a row."""
        if not isinstance(error, ProviderError):
            return timedelta(seconds=job_changes.MAX_BACKOFF_SECONDS)
        seconds = job_changes.retry_delay(
            error, failures, min_seconds=self.poll_seconds, jitter=self.jitter
        )
        return timedelta(seconds=seconds)

    def renderer(self, renderer: JobRenderer) -> WatchRenderer:
        """Return what renders the followed jobs of a connection."""
        return WatchRenderer(renderer, self.poll_seconds)

    async def apply(
        self, tx: Transaction, renderer: JobRenderer, results: list[PollResult]
    ) -> list[Change]:
        """Apply the results of one batch; return the changes that were notified.

        A result changes nothing if another process has stored a newer one.
        """
        now = results[0].polled_at
        batch = _Batch(self, tx, self.renderer(renderer), PendingUpdates(tx, now))
        changes = [change for result in results for change in await batch.apply(result)]
        if batch.unchanged:
            await tx.jobs.touch(batch.unchanged, now)
        await batch.updates.redraw_boards()
        return changes


@dataclass
class _Batch:
    """The poll results of one batch while they are applied, in one transaction."""

    rules: JobUpdates
    tx: Transaction
    renderer: WatchRenderer
    updates: PendingUpdates
    unchanged: list[tuple[WatchedJob, datetime]] = field(default_factory=list)

    async def apply(self, result: PollResult) -> list[Change]:
        """Apply one result; return the change that was notified, if any."""
        if isinstance(result.found, JobthreadError):
            await self._apply_failure(result, result.found)
        elif result.unchanged:
            due = self.rules.next_poll_at(result.found, result.polled_at) or result.polled_at
            self.unchanged.append((result.watched, due))
        else:
            return await self._apply_change(result, result.found)
        return []

    async def _apply_change(self, result: PollResult, job: Job) -> list[Change]:
        """Store a changed job by compare-and-set; only the writer that succeeds notifies."""
        watched, now = result.watched, result.polled_at
        due = self.rules.next_poll_at(job, now)
        if not await self.tx.jobs.compare_and_set(watched, job, due_at=due, now=now):
            return []
        watches = await self._watches(watched)
        await self._report_recovery(result, job, watches)
        for watch in watches:
            await self._show_change(result, job, watch)
        if job.status.terminal:
            await self.tx.watches.end([w.id for w in watches], now=now, reason="the job ended")
        change = job_changes.diff(watched.snapshot, job)
        return [change] if change and watches else []

    async def _report_recovery(self, result: PollResult, job: Job, watches: list[Watch]) -> None:
        """Notify the threads that were told of failed polls that polling works again."""
        if result.watched.error and result.watched.failing_since:
            since, message = result.watched.failing_since, texts.polling_recovered(str(job.ref))
            await self._notify_polling(result, watches, EventKind.POLLING_RECOVERED, since, message)

    async def _show_change(self, result: PollResult, job: Job, watch: Watch) -> None:
        """Notify a watch's thread of a changed job, and update what shows it."""
        shown = presentation_of(watch)
        # Asked before this change adds its own reply, which the card does not wait for.
        pending = await shown.has_pending_replies(self.tx)
        notification = job_notifications.change(
            shown, self.renderer, result.watched, job, result.polled_at
        )
        if notification:
            await self.rules.notifier.notify(self.tx, [notification])
        await self.updates.add(shown.update(self._state(result, job, pending=pending)))

    async def _apply_failure(self, result: PollResult, error: JobthreadError) -> None:
        """Store a failed poll, and schedule the next one with backoff.

        Notifies only if no other process has stored a result meanwhile.
        """
        failures, not_found = abs(result.watched.failures) + 1, result.not_found_count
        persistent = failures >= FAILURES_BEFORE_NOTICE
        sentence = result.watched.error or (error.sentence if persistent else "")
        stored = await self.tx.jobs.record_failure(
            result.watched,
            failures=-not_found or failures,
            error=sentence,
            failing_since=result.watched.failing_since or result.polled_at,
            due_at=result.polled_at + self.rules.retry_delay(error, failures),
            now=result.polled_at,
        )
        if stored and not_found >= NOT_FOUND_BEFORE_END:
            await self._end_missing(result)
        elif stored and sentence != result.watched.error:
            await self._show_failure(result, sentence)

    async def _show_failure(self, result: PollResult, sentence: str) -> None:
        """Notify the threads that polling fails, and update what shows the job."""
        since, job = result.watched.failing_since or result.polled_at, result.watched.snapshot
        if job is None:
            return
        message = texts.polling_failed(str(job.ref), sentence)
        watches = await self._watches(result.watched)
        await self._notify_polling(result, watches, EventKind.POLLING_FAILED, since, message)
        for watch in watches:
            shown = presentation_of(watch)
            pending = await shown.has_pending_replies(self.tx)
            state = self._state(result, job, pending=pending)
            failing = replace(state, error=sentence, failing_since=since)
            await self.updates.add(shown.update(failing))

    def _state(self, result: PollResult, job: Job, *, pending: bool) -> JobState:
        return JobState(
            job=job,
            now=result.polled_at,
            renderer=self.renderer,
            stored=result.watched,
            pending=pending,
        )

    async def _end_missing(self, result: PollResult) -> None:
        """End the watches of a job that the provider no longer has, and notify their threads."""
        watched, now = result.watched, result.polled_at
        watches = await self._watches(watched)
        message = texts.job_missing(job_notifications.job_name(watched), watched.ref)
        notices = [
            job_notifications.watch_ended(presentation_of(watch), watched, "missing", message, now)
            for watch in watches
        ]
        await self.rules.notifier.notify(self.tx, notices)
        await self.tx.watches.end([w.id for w in watches], now=now, reason=JOB_NOT_FOUND)
        await self.tx.jobs.sleep_unwatched(watched.workspace, [watched.ref])
        for watch in watches:
            await self.updates.add(presentation_of(watch).end())

    async def _notify_polling(
        self,
        result: PollResult,
        watches: list[Watch],
        kind: EventKind,
        since: datetime,
        message: Message,
    ) -> None:
        """Notify threads that polling fails or has recovered, once per failure period."""
        notices = [
            job_notifications.polling(
                presentation_of(watch), result.watched, kind, since, message, result.polled_at
            )
            for watch in watches
        ]
        await self.rules.notifier.notify(self.tx, notices)

    async def _watches(self, watched: WatchedJob) -> list[Watch]:
        found = await self.tx.watches.of_jobs(watched.workspace, [watched.ref])
        return found.get(watched.ref, [])
