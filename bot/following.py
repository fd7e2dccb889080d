"""Following jobs: what a look at a job writes down, for whom, in one transaction."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot import answers, cards, lifecycle, looks, told
from bot.errors import JobNotFound, JobthreadError, ProviderError
from bot.store import NewPost, PostKind, Transaction, Watch, WatchedJob, WatchState

if TYPE_CHECKING:
    from collections.abc import Collection

    from bot.asks import Ask
    from bot.models import Change, Job, Message
    from bot.provider import Provider
    from bot.told import About

TROUBLE_TOLD_AFTER = 3  # looks that failed in a row, before the card says so
LOST_AFTER = 5  # looks in a row that found no such job, before the thread ends


@dataclass(frozen=True)
class Look:
    """One look at a watched job: what was known before, and what was found."""

    watched: WatchedJob
    found: Job | JobthreadError
    at: datetime


def thread_of(watch: Watch) -> str:
    """Return the name under which a watch's messages keep their order."""
    return f"watch:{watch.id}"


def new_watch(ask: Ask, workspace: str, job: Job, *, card_ts: str | None = None) -> Watch:
    """Return the promise to follow a job where it was asked for."""
    return Watch(
        id=uuid.uuid4().hex,
        workspace=workspace,
        channel=ask.channel,
        thread_ts=ask.thread_ts,
        card_ts=card_ts,
        ref=job.ref,
        asker=ask.user,
        asked_at=ask.at,
        state=WatchState.ACTIVE,
        ended_at=None,
        reason="",
    )


def root(watch: Watch, message: Message, ask: Ask, now: datetime, about: About) -> NewPost:
    """Return the card that opens a watch; if Slack refuses it, the asker hears why."""
    return NewPost(
        key=f"{watch.id}:root",
        workspace=watch.workspace,
        channel=watch.channel,
        thread=thread_of(watch),
        kind=PostKind.POST,
        body={"message": message.model_dump(), "about": about, **ask.way_back()},
        watch_id=watch.id,
        roots_watch=True,
        due_at=now,
        reason=f"asked for by {ask.user}",
    )


def card(
    watch: Watch, message: Message, now: datetime, about: About, *, urgent: bool = False
) -> NewPost:
    """Return the update of a watch's card; a newer one takes its place while it waits."""
    return NewPost(
        key=f"{watch.id}:card",
        workspace=watch.workspace,
        channel=watch.channel,
        thread=f"card:{watch.id}",
        kind=PostKind.UPDATE,
        body={"message": message.model_dump(), "about": about},
        watch_id=watch.id,
        urgent=urgent,
        due_at=now,
        reason="the job looks different",
    )


def reply(
    watch: Watch,
    key: str,
    message: Message,
    now: datetime,
    *,
    reason: str,
    about: About | None = None,
    loud: bool = False,
    urgent: bool = False,
) -> NewPost:
    """Return a follow-up in a watch's thread; a loud one is also shown in the channel."""
    return NewPost(
        key=f"{watch.id}:{key}",
        workspace=watch.workspace,
        channel=watch.channel,
        thread=thread_of(watch),
        kind=PostKind.POST,
        body={
            "message": message.model_dump(),
            "broadcast": loud,
            "asker": watch.asker,
            "about": about or {},
        },
        watch_id=watch.id,
        urgent=urgent,
        due_at=now,
        reason=reason,
    )


@dataclass(frozen=True)
class Following:
    """Writes down looks: the jobs' rows, the follow-ups and the cards, all or nothing."""

    poll_seconds: float

    def next_due(self, job: Job, now: datetime) -> datetime | None:
        """Return when a job should be looked at again; None: it has ended."""
        if job.status.terminal:
            return None
        return now + timedelta(seconds=lifecycle.next_look(job, now, shortest=self.poll_seconds))

    def view(self, watch: Watch, job: Job, now: datetime, **more: Any) -> cards.View:
        """Return what surrounds a followed job on its card."""
        return cards.View(
            checked_at=now,
            followed=watch.state is WatchState.ACTIVE and not job.status.terminal,
            interval_seconds=self.poll_seconds,
            asker=watch.asker,
            **more,
        )

    async def write(
        self, tx: Transaction, provider: Provider[Any] | None, all_looks: list[Look]
    ) -> list[Change]:
        """Write down the looks of one batch; return the changes that are now to be told.

        A look that comes after another process wrote down a newer one changes nothing.
        """
        changes: list[Change] = []
        calm: list[tuple[WatchedJob, datetime]] = []
        for look in all_looks:
            if isinstance(look.found, JobthreadError):
                await self._trouble(tx, provider, look, look.found)
            elif look.found == look.watched.seen and not look.watched.trouble:
                calm.append((look.watched, self.next_due(look.found, look.at) or look.at))
            else:
                changes += await self._moved(tx, provider, look, look.found)
        if calm:
            await tx.jobs.unchanged(calm, all_looks[0].at)
        return changes

    async def _moved(
        self, tx: Transaction, provider: Provider[Any] | None, look: Look, job: Job
    ) -> list[Change]:
        """Write down a job that looks different: the winner of the row speaks to the threads."""
        due = self.next_due(job, look.at)
        if not await tx.jobs.changed(look.watched, job, due_at=due, now=look.at):
            return []
        change = lifecycle.compare(look.watched.seen, job)
        watches = await _watches(tx, look.watched)
        if look.watched.trouble and look.watched.trouble_since:
            since, message = look.watched.trouble_since, answers.well_again(str(job.ref))
            asides = [_aside(w, "well", since, message, look.at) for w in watches]
            await tx.outbox.add(asides, look.at)
        for watch in watches:
            if change:
                await tx.outbox.add([self._told(watch, provider, look, change)], look.at)
            view = self.view(watch, job, look.at)
            message = looks.card(provider, job, view)
            if not _shows(look.watched, message, provider, view):
                continue
            # What the thread knows while its follow-up is on its way: the look before.
            about = told.by_card(watch, look.watched.seen, look.watched.revision)
            update = card(watch, message, look.at, about, urgent=job.status.terminal)
            await tx.outbox.replace(update, look.at)
        if job.status.terminal:
            await tx.watches.end([w.id for w in watches], now=look.at, reason="the job ended")
        return [change] if change and watches else []

    def _told(
        self, watch: Watch, provider: Provider[Any] | None, look: Look, change: Change
    ) -> NewPost:
        view = self.view(watch, change.after, look.at, mention=change.ends)
        revision = look.watched.revision + 1
        return reply(
            watch,
            str(revision),
            looks.follow_up(provider, change, view),
            look.at,
            about=told.by_follow_up(watch, change.after, revision, over=change.ends),
            loud=change.ends and change.after.status.bad,
            urgent=change.ends,
            reason="the job's status changed" if change.status_changed else "a task failed",
        )

    async def _trouble(
        self, tx: Transaction, provider: Provider[Any] | None, look: Look, error: JobthreadError
    ) -> None:
        """Write down a look that failed: it is tried again, less and less often.

        Another look may have been written down meanwhile: then this one says nothing.
        """
        failures = abs(look.watched.failures) + 1
        missing = _missing(look.watched, error)
        lasting = failures >= TROUBLE_TOLD_AFTER
        sentence = look.watched.trouble or (error.sentence if lasting else "")
        ours = await tx.jobs.failed(
            look.watched,
            failures=-missing or failures,
            trouble=sentence,
            trouble_since=look.watched.trouble_since or look.at,
            due_at=look.at + self._patience(error, failures),
            now=look.at,
        )
        if ours and missing >= LOST_AFTER:
            await self._lost(tx, look)
        elif ours and sentence != look.watched.trouble and look.watched.seen:
            await self._show_trouble(tx, provider, look, look.watched.seen, sentence)

    def _patience(self, error: JobthreadError, failures: int) -> timedelta:
        if not isinstance(error, ProviderError):
            return timedelta(seconds=lifecycle.TROUBLE_SECONDS)
        seconds = lifecycle.next_try(error, failures, shortest=self.poll_seconds)
        return timedelta(seconds=seconds)

    async def _show_trouble(
        self, tx: Transaction, provider: Provider[Any] | None, look: Look, job: Job, sentence: str
    ) -> None:
        since = look.watched.trouble_since or look.at
        message = answers.in_trouble(str(job.ref), sentence)
        for watch in await _watches(tx, look.watched):
            await tx.outbox.add([_aside(watch, "trouble", since, message, look.at)], look.at)
            view = self.view(watch, job, look.at, trouble=sentence, trouble_since=since)
            about = told.by_card(watch, job, look.watched.revision)
            update = card(watch, looks.card(provider, job, view), look.at, about)
            await tx.outbox.replace(update, look.at)

    async def _lost(self, tx: Transaction, look: Look) -> None:
        """End the watches of a job that its system has forgotten; the threads are told."""
        watches = await _watches(tx, look.watched)
        name = look.watched.seen.name if look.watched.seen else str(look.watched.ref)
        message = answers.lost(name, look.watched.ref)
        why = "the job is not found any more"
        last = [_last(w, look.watched, "lost", message, look.at, why) for w in watches]
        await tx.outbox.add(last, look.at)
        await tx.watches.end([w.id for w in watches], now=look.at, reason="job not found")
        await tx.jobs.settle(look.watched.workspace, [look.watched.ref])


async def abandon(tx: Transaction, names: Collection[str], now: datetime) -> int:
    """End the watches of connections not among these, as nobody can look at their jobs.

    The threads are told; return how many there are.
    """
    if set(await tx.jobs.connections()) <= set(names):
        return 0
    living = [w for w in await tx.watches.living() if w.ref.connection not in names]
    ended = [w for w in living if w.state is WatchState.ACTIVE]  # what is parked hears nothing
    why = "its connection is no longer set up"
    for watch in ended:
        watched = (await tx.jobs.get(watch.workspace, [watch.ref])).get(watch.ref)
        last = _last(watch, watched, "unset", answers.not_set_up(watch.ref), now, why)
        await tx.outbox.add([last], now)
        await tx.watches.end([watch.id], now=now, reason=why)
        await tx.jobs.settle(watch.workspace, [watch.ref])
    return len(ended)


def _last(
    watch: Watch, watched: WatchedJob | None, key: str, message: Message, now: datetime, why: str
) -> NewPost:
    """Return the follow-up that says why nothing more will be said in a thread."""
    seen, revision = (watched.seen, watched.revision) if watched else (None, 0)
    about = told.by_follow_up(watch, seen, revision, over=True)
    return reply(watch, key, message, now, about=about, reason=why)


def _missing(watched: WatchedJob, error: JobthreadError) -> int:
    """Return how many looks in a row have now found no such job; other failures begin anew."""
    return 1 + max(0, -watched.failures) if isinstance(error, JobNotFound) else 0


def _shows(
    watched: WatchedJob, message: Message, provider: Provider[Any] | None, view: cards.View
) -> bool:
    """Whether a card reads otherwise than the look before would at the same moment."""
    if watched.seen is None or watched.trouble:
        return True
    return looks.card(provider, watched.seen, view) != message


def _aside(watch: Watch, word: str, since: datetime, message: Message, now: datetime) -> NewPost:
    """Return a remark in the thread about how the job is followed, once for each trouble."""
    key = f"{word}:{since.timestamp():.0f}"
    return reply(watch, key, message, now, reason="the job could not be looked at")


async def _watches(tx: Transaction, watched: WatchedJob) -> list[Watch]:
    found = await tx.watches.of_jobs(watched.workspace, [watched.ref])
    return found.get(watched.ref, [])
