"""Shows jobs: card, board row or reaction; starts watches."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.commands import board_placement, replies
from bot.commands.actions import Reply
from bot.delivery.transport import RECOVERABLE_ERRORS
from bot.notifications.decision import PresentationKind, choose_presentation
from bot.sdk.cards import job_card
from bot.store import MessageKind, Watch, WatchState
from bot.tracking import boards
from bot.tracking.job_state import JobState
from bot.tracking.job_updates import PollResult
from bot.tracking.presentation import presentation_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.commands.actions import ShowJob
    from bot.commands.request import Request
    from bot.commands.unit_of_work import UnitOfWork
    from bot.delivery.permalinks import Workspace
    from bot.providers.connections import Connections
    from bot.sdk.models import Job, Message
    from bot.store import WatchedJob
    from bot.tracking.job_updates import JobUpdates


@dataclass(frozen=True)
class JobPresenter:
    """Enqueues the messages that show jobs, in the answer's transaction."""

    connections: Connections
    job_updates: JobUpdates
    slack_workspace: Workspace

    async def show(self, unit: UnitOfWork, shown: dict[str, ShowJob]) -> None:
        """Show jobs as the channel settings say: one board, reactions, or a card each."""
        location = (unit.workspace, unit.request.channel)
        policy = (await self.job_updates.notifier.channel_settings(unit.tx, *location)).policy
        can_react = unit.request.request_ts is not None
        chosen = choose_presentation(policy, len(shown), can_react=can_react)
        if chosen is PresentationKind.BOARD:
            await self._show_on_board(unit, shown)
            return
        show_one = self._show_reaction if chosen is PresentationKind.REACTION else self._show_card
        for key, show in shown.items():
            await show_one(unit, await self._latest_snapshot(unit, show), key)

    async def _latest_snapshot(self, unit: UnitOfWork, show: ShowJob) -> Job:
        """Store the fetched job if it is followed anywhere; return the latest snapshot."""
        if show.job.status.terminal or show.known_revision == 0:
            return show.job
        return await self.record_snapshot(unit, show.job, show.known_revision)

    async def _show_on_board(self, unit: UnitOfWork, shown: dict[str, ShowJob]) -> None:
        """Show jobs on a board; a single job without a recent board or card gets a card."""
        await board_placement.lock(unit.tx, unit)
        unique = {show.job.ref: (key, show) for key, show in shown.items()}
        jobs = {
            key: await self.record_snapshot(unit, s.job, s.known_revision)
            for key, s in unique.values()
        }
        target = await board_placement.find_target(unit.tx, unit, len(jobs))
        placed: list[tuple[str, Watch, Job]] = []
        for key, job in jobs.items():
            watch = new_watch(unit.request, unit.workspace, job)
            if job.status.terminal or not await self._claim_or_point_to(unit, watch):
                placed.append((key, watch, job))
        if len(placed) > 1 or (placed and target):
            await self._add_to_board(unit, target, [(watch, job) for _, watch, job in placed])
            return
        for key, watch, job in placed:
            if job.status.terminal:
                await self._post_card(unit, job, key)
            else:
                await self._post_watch_card(unit, watch, job)

    async def _add_to_board(
        self,
        unit: UnitOfWork,
        target: board_placement.Target | None,
        placed: Sequence[tuple[Watch, Job]],
    ) -> None:
        """Add jobs to a board; if the board exists already, reply with its link."""
        board = await board_placement.open_board(unit.tx, unit, target)
        await board_placement.remove_duplicates(unit.tx, board, [job for _, job in placed])
        for watch, job in placed:
            if job.status.terminal:
                await board_placement.add_ended_row(unit.tx, unit, board, watch, job)
            else:
                await unit.tx.boards.join(watch.id, board.id, board.message_ts)
                await self._track(unit, watch, job)
        if target is None:
            await unit.enqueue(await board_placement.opening_message(unit.tx, unit, board))
            return
        await unit.redraw_board(board.id)
        link = self.slack_workspace.permalink(board.channel, board.message_ts, board.thread_ts)
        refs = [str(job.ref) for _, job in placed]
        await unit.reply(Reply(replies.added_to_board(refs, link)), "board")

    async def _post_card(self, unit: UnitOfWork, job: Job, key: str) -> None:
        message = self.render_card(job, job_card.CardContext(checked_at=unit.now))
        body = {"message": message.model_dump(), **unit.request.reply_target().as_body()}
        await unit.enqueue(unit.new_message(MessageKind.POST, body, key))

    async def _show_card(self, unit: UnitOfWork, job: Job, key: str) -> None:
        """Post a job's card; follow the job unless it has ended."""
        if job.status.terminal:
            await self._post_card(unit, job, key)
        else:
            await self._follow_with_card(unit, new_watch(unit.request, unit.workspace, job), job)

    async def _follow_with_card(self, unit: UnitOfWork, watch: Watch, job: Job) -> None:
        """Follow a job with a card, unless it is followed in this channel already."""
        if not await self._claim_or_point_to(unit, watch):
            await self._post_watch_card(unit, watch, job)

    async def _claim_or_point_to(self, unit: UnitOfWork, watch: Watch) -> bool:
        """Store a watch; if there is one, reply with its link. Return whether there was one."""
        existing = await self._add_or_find_watch(unit, watch)
        if existing is not None:
            await unit.reply(already_followed_reply(self.slack_workspace, existing), watch.id)
        return existing is not None

    async def _track(self, unit: UnitOfWork, watch: Watch, job: Job) -> WatchedJob:
        """Schedule the polling of a job. If the stored snapshot has ended, end the watch."""
        due = self.job_updates.next_poll_at(job, unit.now) or unit.now
        tracked = await unit.tx.jobs.track(unit.workspace, job, due_at=due, now=unit.now)
        unit.next_polls.append((job.ref.connection, due))
        if tracked.snapshot and tracked.snapshot.status.terminal:
            await unit.tx.watches.end([watch.id], now=unit.now, reason="the job ended")
            await unit.tx.jobs.sleep_unwatched(unit.workspace, [job.ref])
        return tracked

    async def _post_watch_card(self, unit: UnitOfWork, watch: Watch, job: Job) -> None:
        """Post or update the card of a stored watch."""
        tracked = await self._track(unit, watch, job)
        job = tracked.snapshot or job  # a snapshot that was stored meanwhile wins
        if job.status.terminal:
            await self._post_card(unit, job, watch.id)
            return
        state = self._state(unit, job, stored=tracked)
        target = unit.request.reply_target()
        await unit.write(presentation_of(watch).show(state, target, watch.id))

    async def _show_reaction(self, unit: UnitOfWork, job: Job, key: str) -> None:
        """Show a job's status as a reaction on the request's message, and follow the job."""
        watch = reaction_watch(unit.request, unit.workspace, job)
        if not job.status.terminal:
            if await self._claim_or_point_to(unit, watch):
                return
            job = (await self._track(unit, watch, job)).snapshot or job
        target = unit.request.reply_target()
        await unit.write(presentation_of(watch).show(self._state(unit, job), target, key))

    async def follow_from_card(self, unit: UnitOfWork, job: Job, card_ts: str) -> None:
        """Follow a job from its existing card; if the job has ended, only update the card."""
        if job.status.terminal:
            await self.refresh_card(unit, job, card_ts)
            return
        existing = await unit.tx.watches.by_card(unit.workspace, unit.request.channel, card_ts)
        is_board = existing is not None and presentation_of(existing).shared
        watch = new_watch(unit.request, unit.workspace, job, card_ts=None if is_board else card_ts)
        await self._follow_with_card(unit, watch, job)

    async def _add_or_find_watch(self, unit: UnitOfWork, watch: Watch) -> Watch | None:
        """Store a watch and return None, or return the job's existing watch in the channel.

        A watch that is unreachable for good, e.g. because its card was deleted, is replaced.
        """
        if await unit.tx.watches.add(watch):
            return None
        existing = await unit.tx.watches.find(unit.workspace, watch.channel, watch.ref)
        if (
            existing is None
            or existing.state is WatchState.ACTIVE
            or existing.reason in RECOVERABLE_ERRORS
        ):
            return existing or watch
        await unit.tx.watches.end([existing.id], now=unit.now, reason="requested again")
        await unit.tx.dead_letters.drop(await unit.tx.dead_letters.messages(existing), unit.now)
        await boards.close_if_idle(unit.tx, existing, unit.now)
        return None if await unit.tx.watches.add(watch) else watch

    async def record_snapshot(self, unit: UnitOfWork, job: Job, known: int | None) -> Job:
        """Store a fetched job if it is followed anywhere; return the latest snapshot.

        If another snapshot was stored after the fetch began, the newer of the two is unknown: the
        stored one is kept until the next poll.
        """
        tracked = (await unit.tx.jobs.get(unit.workspace, [job.ref])).get(job.ref)
        if tracked is None:
            return job
        if known not in (None, tracked.revision) and tracked.snapshot is not None:
            return tracked.snapshot
        renderer = self.connections.renderer(job.ref.connection)
        results = [PollResult(tracked, job, unit.now)]
        unit.changes += await self.job_updates.apply(unit.tx, renderer, results)
        unit.wakes_dispatcher = True
        return job

    async def refresh_card(self, unit: UnitOfWork, job: Job, card_ts: str) -> None:
        """Update a card, or the board that it has become."""
        watch = await unit.tx.watches.by_card(unit.workspace, unit.request.channel, card_ts)
        if watch is not None:
            shown = presentation_of(watch)
            stored = await _stored_job(unit, watch)
            pending = not watch.stopped_by and await shown.has_pending_replies(unit.tx)
            await unit.write(shown.refresh(self._state(unit, job, stored=stored, pending=pending)))
            return
        message = self.render_card(job, job_card.CardContext(checked_at=unit.now))
        body = {"message": message.model_dump(), "ts": card_ts}
        await unit.enqueue(unit.new_message(MessageKind.UPDATE, body, "update"))

    async def stored_state(self, unit: UnitOfWork, watch: Watch) -> JobState | None:
        """Return the last polled state of a watch's job; None: it was never polled."""
        stored = await _stored_job(unit, watch)
        if stored is None or stored.snapshot is None:
            return None
        return self._state(unit, stored.snapshot, stored=stored)

    def _state(
        self, unit: UnitOfWork, job: Job, *, stored: WatchedJob | None = None, pending: bool = False
    ) -> JobState:
        renderer = self.job_updates.renderer(self.connections.renderer(job.ref.connection))
        return JobState(job=job, now=unit.now, renderer=renderer, stored=stored, pending=pending)

    def render_card(self, job: Job, view: job_card.CardContext) -> Message:
        """Return a job's card, rendered by its provider."""
        return self.connections.renderer(job.ref.connection).card(job, view)


async def _stored_job(unit: UnitOfWork, watch: Watch) -> WatchedJob | None:
    return (await unit.tx.jobs.get(watch.workspace, [watch.ref])).get(watch.ref)


def already_followed_reply(home: Workspace, watch: Watch) -> Reply:
    """Return the reply that links to the card of an existing watch."""
    link = home.permalink(watch.channel, presentation_of(watch).message_ts, watch.thread_ts)
    return Reply(replies.already_followed(str(watch.ref), link))


def new_watch(request: Request, workspace: str, job: Job, *, card_ts: str | None = None) -> Watch:
    """Return a watch of a job in the thread of the request."""
    return Watch(
        id=uuid.uuid4().hex,
        workspace=workspace,
        channel=request.channel,
        thread_ts=request.thread_ts,
        card_ts=card_ts,
        ref=job.ref,
        asker=request.user,
        requested_at=request.requested_at,
        state=WatchState.ACTIVE,
        ended_at=None,
        reason="",
    )


def reaction_watch(request: Request, workspace: str, job: Job) -> Watch:
    """Return a watch that shows the job's status as reactions on the request's message."""
    watch = new_watch(request, workspace, job)
    return replace(
        watch, request_ts=request.request_ts, thread_ts=request.thread_ts or request.request_ts
    )
