"""Following jobs: what a look at a job writes down, for whom, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot import answers, lifecycle, told
from bot.boards.boards import LOST, Redrawing
from bot.cards import boardcards, cards
from bot.channels.notices import Notice, Notices, news_of
from bot.errors import JobNotFound, JobthreadError, ProviderError
from bot.noise.decision import Happening, News
from bot.posts import card, thread_of
from bot.providers import looks
from bot.store import Transaction, Watch, WatchedJob, WatchState

if TYPE_CHECKING:
    from collections.abc import Collection

    from bot.models import Change, Job, Message
    from bot.noise.decision import Decision
    from bot.providers.provider import Provider

TROUBLE_TOLD_AFTER = 3  # looks that failed in a row, before the card says so
LOST_AFTER = 5  # looks in a row that found no such job, before the thread ends


@dataclass(frozen=True)
class Look:
    """One look at a watched job: what was known before, and what was found."""

    watched: WatchedJob
    found: Job | JobthreadError
    at: datetime


@dataclass(frozen=True)
class Following:
    """Writes down looks: the jobs' rows, the follow-ups and the cards, all or nothing."""

    poll_seconds: float
    notices: Notices = field(default_factory=Notices)

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
        boards = Redrawing(all_looks[0].at)
        for look in all_looks:
            if isinstance(look.found, JobthreadError):
                await self._trouble(tx, provider, look, look.found, boards)
            elif look.found == look.watched.seen and not look.watched.trouble:
                calm.append((look.watched, self.next_due(look.found, look.at) or look.at))
            else:
                changes += await self._moved(tx, provider, look, look.found, boards)
        if calm:
            await tx.jobs.unchanged(calm, all_looks[0].at)
        await boards.finish(tx)
        return changes

    async def _moved(
        self,
        tx: Transaction,
        provider: Provider[Any] | None,
        look: Look,
        job: Job,
        boards: Redrawing,
    ) -> list[Change]:
        """Write down a job that looks different: the winner of the row speaks to the threads."""
        due = self.next_due(job, look.at)
        if not await tx.jobs.changed(look.watched, job, due_at=due, now=look.at):
            return []
        change = lifecycle.compare(look.watched.seen, job)
        fuller = lifecycle.compare(look.watched.seen, job, every_task=True)
        watches = await _watches(tx, look.watched)
        if look.watched.trouble and look.watched.trouble_since:
            since, message = look.watched.trouble_since, answers.well_again(str(job.ref))
            await self._aside(tx, look, watches, Happening.WELL, since, message)
        for watch in watches:
            waiting = await _waiting(tx, watch)
            if fuller:
                notice = self._news(watch, provider, look, change or fuller, fuller)
                await self.notices.tell(tx, [notice])
            await self._show(tx, provider, look, job, watch, boards, waiting=waiting)
        if job.status.terminal:
            await tx.watches.end([w.id for w in watches], now=look.at, reason="the job ended")
        return [change] if change and watches else []

    async def _show(
        self,
        tx: Transaction,
        provider: Provider[Any] | None,
        look: Look,
        job: Job,
        watch: Watch,
        boards: Redrawing,
        *,
        waiting: bool,
    ) -> None:
        """Let a watch's card, or its board, show a job that moved, if it reads otherwise then.

        `waiting`: the thread has not heard of the look before either.
        """
        if watch.board_id and _moves_row(look.watched, job, look.at):
            boards.note(watch.board_id, urgent=job.status.terminal)
        if watch.board_id or watch.cardless:
            return
        view = self.view(watch, job, look.at)
        message = looks.card(provider, job, view)
        if _shows(look.watched, message, provider, view):
            # What the thread knows while its follow-up is on its way: the look before, or what
            # the card carries already.
            before = told.by_card(watch, look.watched.seen, look.watched.revision)
            about = {} if waiting else before
            update = card(watch, message, look.at, about, urgent=job.status.terminal)
            await tx.outbox.replace(update, look.at)

    def _news(
        self,
        watch: Watch,
        provider: Provider[Any] | None,
        look: Look,
        change: Change,
        fuller: Change,
    ) -> Notice:
        """Return what a thread might be told; `fuller` names the tasks that went well, too."""

        def draft(decision: Decision) -> Message:
            group = decision.mention if decision.mention != "asker" else ""
            called = change.ends and bool(decision.mention)
            view = self.view(watch, change.after, look.at, mention=called, group=group)
            return looks.follow_up(provider, fuller if decision.every_task else change, view)

        revision = look.watched.revision + 1
        return Notice(
            watch=watch,
            key=str(revision),
            news=news_of(change),
            name=change.after.name,
            series=change.after.family,
            draft=draft,
            at=look.at,
            about=told.by_follow_up(watch, change.after, revision, over=change.ends),
            statuses=(change.before.status if change.before else None, change.after.status),
            urgent=change.ends,
        )

    async def _trouble(
        self,
        tx: Transaction,
        provider: Provider[Any] | None,
        look: Look,
        error: JobthreadError,
        boards: Redrawing,
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
            await self._lost(tx, look, boards)
        elif ours and sentence != look.watched.trouble:
            await self._show_trouble(tx, provider, look, sentence, boards)

    def _patience(self, error: JobthreadError, failures: int) -> timedelta:
        if not isinstance(error, ProviderError):
            return timedelta(seconds=lifecycle.TROUBLE_SECONDS)
        seconds = lifecycle.next_try(error, failures, shortest=self.poll_seconds)
        return timedelta(seconds=seconds)

    async def _show_trouble(
        self,
        tx: Transaction,
        provider: Provider[Any] | None,
        look: Look,
        sentence: str,
        boards: Redrawing,
    ) -> None:
        since, job = look.watched.trouble_since or look.at, look.watched.seen
        if job is None:
            return
        message = answers.in_trouble(str(job.ref), sentence)
        watches = await _watches(tx, look.watched)
        await self._aside(tx, look, watches, Happening.TROUBLE, since, message)
        for watch in watches:
            if watch.board_id:
                boards.note(watch.board_id)
            if watch.board_id or watch.cardless:
                continue
            view = self.view(watch, job, look.at, trouble=sentence, trouble_since=since)
            known = told.by_card(watch, job, look.watched.revision)
            about = {} if await _waiting(tx, watch) else known
            update = card(watch, looks.card(provider, job, view), look.at, about)
            await tx.outbox.replace(update, look.at)

    async def _lost(self, tx: Transaction, look: Look, boards: Redrawing) -> None:
        """End the watches of a job that its system has forgotten; the threads are told."""
        watches = await _watches(tx, look.watched)
        message = answers.lost(_name(look.watched), look.watched.ref)
        last = [_last(w, look.watched, "lost", message, look.at) for w in watches]
        await self.notices.tell(tx, last)
        await tx.watches.end([w.id for w in watches], now=look.at, reason=LOST)
        await tx.jobs.settle(look.watched.workspace, [look.watched.ref])
        boards.note_all(watches)

    async def _aside(
        self,
        tx: Transaction,
        look: Look,
        watches: list[Watch],
        happening: Happening,
        since: datetime,
        message: Message,
    ) -> None:
        """Remark in the threads on how their job is followed, once for each trouble."""
        notices = [
            Notice(
                watch=watch,
                key=f"{happening}:{since.timestamp():.0f}",
                news=News(happening=happening),
                name=_name(look.watched),
                series=_series(look.watched),
                draft=lambda _: message,
                at=look.at,
            )
            for watch in watches
        ]
        await self.notices.tell(tx, notices)


async def abandon(tx: Transaction, names: Collection[str], now: datetime, notices: Notices) -> int:
    """End the watches of connections not among these, as nobody can look at their jobs.

    The threads are told; return how many there are.
    """
    if set(await tx.jobs.connections()) <= set(names):
        return 0
    living = [w for w in await tx.watches.living() if w.ref.connection not in names]
    ended = [w for w in living if w.state is WatchState.ACTIVE]  # what is parked hears nothing
    why = "its connection is no longer set up"
    boards = Redrawing(now)
    boards.note_all(ended)
    for watch in ended:
        watched = (await tx.jobs.get(watch.workspace, [watch.ref])).get(watch.ref)
        last = _last(watch, watched, "unset", answers.not_set_up(watch.ref), now)
        await notices.tell(tx, [last])
        await tx.watches.end([watch.id], now=now, reason=why)
        await tx.jobs.settle(watch.workspace, [watch.ref])
    await boards.finish(tx)
    return len(ended)


def _last(
    watch: Watch, watched: WatchedJob | None, key: str, message: Message, now: datetime
) -> Notice:
    """Return the follow-up that says why nothing more will be said in a thread."""
    seen, revision = (watched.seen, watched.revision) if watched else (None, 0)
    return Notice(
        watch=watch,
        key=key,
        news=News(happening=Happening.LOST),
        name=_name(watched) if watched else str(watch.ref),
        series=_series(watched) if watched else "",
        draft=lambda _: message,
        at=now,
        about=told.by_follow_up(watch, seen, revision, over=True),
        statuses=(seen.status if seen else None, None),
    )


def _name(watched: WatchedJob) -> str:
    return watched.seen.name if watched.seen else str(watched.ref)


def _series(watched: WatchedJob) -> str:
    return watched.seen.family if watched.seen else ""


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


def _moves_row(watched: WatchedJob, job: Job, now: datetime) -> bool:
    """Whether a board reads otherwise than by the look before at the same moment."""
    if watched.seen is None or watched.trouble:
        return True
    return boardcards.reads_otherwise(watched.seen, job, now)


async def _waiting(tx: Transaction, watch: Watch) -> bool:
    """Whether follow-ups for a watch with a card of its own are on their way."""
    if watch.board_id or watch.cardless:
        return False
    return bool(await tx.boards.unsaid(watch.workspace, thread_of(watch)))


async def _watches(tx: Transaction, watched: WatchedJob) -> list[Watch]:
    found = await tx.watches.of_jobs(watched.workspace, [watched.ref])
    return found.get(watched.ref, [])
