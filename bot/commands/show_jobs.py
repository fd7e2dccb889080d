"""Shows jobs: card, board row or reaction; starts watches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.commands import board_placement, replies
from bot.commands.actions import Say
from bot.delivery import message_metadata
from bot.delivery.messages import card, new_watch, quiet_watch, reaction, root, thread_of
from bot.delivery.transport import MAY_PASS
from bot.notifications.decision import Opening, opening
from bot.providers import fetch
from bot.sdk.cards import job_card
from bot.sdk.formatting import REACTIONS
from bot.store import PostKind, WatchState
from bot.tracking import boards
from bot.tracking.job_updates import Look

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.commands.actions import Show
    from bot.commands.unit_of_work import Entry
    from bot.delivery.permalinks import Home
    from bot.providers.connections import Connections
    from bot.sdk.models import Job, Message
    from bot.store import Transaction, Watch, WatchedJob
    from bot.tracking.job_updates import Following


@dataclass(frozen=True)
class Showing:
    """Enqueues the messages that show jobs, in the answer's transaction."""

    connections: Connections
    following: Following
    home: Home

    async def show(self, unit: Entry, shown: dict[str, Show]) -> None:
        """Show jobs as the channel settings say: one board, reactions, or a card each."""
        location = (unit.workspace, unit.ask.channel)
        policy = (await self.following.notices.contract(unit.tx, *location)).policy
        presentation = opening(policy, len(shown), can_react=unit.ask.said_ts is not None)
        if presentation is Opening.BOARD:
            await self._show_on_board(unit, shown)
            return
        show_one = self._show_reaction if presentation is Opening.REACTION else self._show_card
        for key, show in shown.items():
            await show_one(unit, await self._latest_snapshot(unit, show), key)

    async def _latest_snapshot(self, unit: Entry, show: Show) -> Job:
        """Store the fetched job if it is followed anywhere; return the latest snapshot."""
        if show.job.status.terminal or show.known == 0:
            return show.job
        return await self.seen(unit, show.job, show.known)

    async def _show_on_board(self, unit: Entry, shown: dict[str, Show]) -> None:
        """Show jobs on a board; a single job without a recent board or card gets a card."""
        await board_placement.hold(unit.tx, unit)
        unique = {show.job.ref: (key, show) for key, show in shown.items()}
        jobs = {key: await self.seen(unit, s.job, s.known) for key, s in unique.values()}
        target = await board_placement.place(unit.tx, unit, len(jobs))
        placed: list[tuple[str, Watch, Job]] = []
        for key, job in jobs.items():
            watch = new_watch(unit.ask, unit.workspace, job)
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
        unit: Entry,
        target: board_placement.Place | None,
        placed: Sequence[tuple[Watch, Job]],
    ) -> None:
        """Add jobs to a board; if the board exists already, reply with its link."""
        board = await board_placement.opened(unit.tx, unit, target)
        await board_placement.make_room(unit.tx, board, [job for _, job in placed])
        for watch, job in placed:
            if job.status.terminal:
                await board_placement.seat_ended(unit.tx, unit, board, watch, job)
            else:
                await unit.tx.boards.join(watch.id, board.id, board.message_ts)
                await self._track(unit, watch, job)
        if target is None:
            await unit.add(await board_placement.root(unit.tx, unit, board))
            return
        await unit.redraw_board(board.id)
        link = self.home.link(board.channel, board.message_ts, board.thread_ts)
        refs = [str(job.ref) for _, job in placed]
        await unit.say(Say(replies.on_board(refs, link)), "board")

    async def _post_card(self, unit: Entry, job: Job, key: str) -> None:
        message = self.card(job, job_card.View(checked_at=unit.at))
        body = {"message": message.model_dump(), **unit.ask.way_back()}
        await unit.add(unit.post(PostKind.POST, body, key))

    async def _show_card(self, unit: Entry, job: Job, key: str) -> None:
        """Post a job's card; follow the job unless it has ended."""
        if job.status.terminal:
            await self._post_card(unit, job, key)
        else:
            await self._follow_with_card(unit, new_watch(unit.ask, unit.workspace, job), job)

    async def _follow_with_card(self, unit: Entry, watch: Watch, job: Job) -> None:
        """Follow a job with a card, unless it is followed in this channel already."""
        if not await self._claim_or_point_to(unit, watch):
            await self._post_watch_card(unit, watch, job)

    async def _claim_or_point_to(self, unit: Entry, watch: Watch) -> bool:
        """Store a watch; if there is one, reply with its link. Return whether there was one."""
        existing = await self._add_or_find_watch(unit, watch)
        if existing is not None:
            await unit.say(followed_already(self.home, existing), watch.id)
        return existing is not None

    async def _track(self, unit: Entry, watch: Watch, job: Job) -> WatchedJob:
        """Schedule the polling of a job. If the stored snapshot has ended, end the watch."""
        due = self.following.next_due(job, unit.at) or unit.at
        tracked = await unit.tx.jobs.track(unit.workspace, job, due_at=due, now=unit.at)
        unit.due.append((job.ref.connection, due))
        if tracked.seen and tracked.seen.status.terminal:
            await unit.tx.watches.end([watch.id], now=unit.at, reason="the job ended")
            await unit.tx.jobs.settle(unit.workspace, [job.ref])
        return tracked

    async def _post_watch_card(self, unit: Entry, watch: Watch, job: Job) -> None:
        """Post or update the card of a stored watch."""
        tracked = await self._track(unit, watch, job)
        job = tracked.seen or job  # a snapshot that was stored meanwhile wins
        if job.status.terminal:
            await self._post_card(unit, job, watch.id)
            return
        message = self.card(job, self.following.view(watch, job, unit.at))
        metadata = message_metadata.by_card(watch, tracked.seen, tracked.revision, over=False)
        if watch.card_ts is None:
            await unit.add(root(watch, message, unit.ask, unit.at, metadata))
        else:
            await unit.replace(card(watch, message, unit.at, metadata, urgent=True))

    async def _show_reaction(self, unit: Entry, job: Job, key: str) -> None:
        """Show a job's status as a reaction on the request's message, and follow the job."""
        watch = quiet_watch(unit.ask, unit.workspace, job)
        if not job.status.terminal:
            if await self._claim_or_point_to(unit, watch):
                return
            job = (await self._track(unit, watch, job)).seen or job
        names, reason = [REACTIONS[job.status]], f"asked for by {unit.ask.user}"
        await unit.add(reaction(watch, f"begun:{key}", names, unit.at, reason=reason))

    async def adopt(self, unit: Entry, job: Job, card_ts: str) -> None:
        """Follow a job from its existing card; if the job has ended, only update the card."""
        if job.status.terminal:
            await self.redraw(unit, job, card_ts)
            return
        existing = await unit.tx.watches.by_card(unit.workspace, unit.ask.channel, card_ts)
        is_board = existing is not None and existing.board_id is not None
        watch = new_watch(unit.ask, unit.workspace, job, card_ts=None if is_board else card_ts)
        await self._follow_with_card(unit, watch, job)

    async def _add_or_find_watch(self, unit: Entry, watch: Watch) -> Watch | None:
        """Store a watch and return None, or return the job's existing watch in the channel.

        A watch that is unreachable for good, e.g. because its card was deleted, is replaced.
        """
        if await unit.tx.watches.add(watch):
            return None
        existing = await unit.tx.watches.find(unit.workspace, watch.channel, watch.ref)
        if existing is None or existing.state is WatchState.ACTIVE or existing.reason in MAY_PASS:
            return existing or watch
        await unit.tx.watches.end([existing.id], now=unit.at, reason="requested again")
        await unit.tx.parked.drop(await unit.tx.parked.messages(existing), unit.at)
        await boards.settle(unit.tx, existing, unit.at)
        return None if await unit.tx.watches.add(watch) else watch

    async def seen(self, unit: Entry, job: Job, known: int | None) -> Job:
        """Store a fetched job if it is followed anywhere; return the latest snapshot.

        If another snapshot was stored after the fetch began, the newer of the two is unknown: the
        stored one is kept until the next poll.
        """
        tracked = (await unit.tx.jobs.get(unit.workspace, [job.ref])).get(job.ref)
        if tracked is None:
            return job
        if known not in (None, tracked.revision) and tracked.seen is not None:
            return tracked.seen
        provider = self.connections.get(job.ref.connection)
        results = [Look(tracked, job, unit.at)]
        unit.changes += await self.following.write(unit.tx, provider, results)
        unit.rings = True
        return job

    async def redraw(self, unit: Entry, job: Job, card_ts: str) -> None:
        """Update a card, or the board that it has become."""
        watch = await unit.tx.watches.by_card(unit.workspace, unit.ask.channel, card_ts)
        if watch is not None and watch.board_id:
            await unit.redraw_board(watch.board_id)
            return
        if watch is not None:
            message = self.card(job, self.following.view(watch, job, unit.at))
            metadata = await _card_metadata(unit.tx, watch)
            await unit.replace(card(watch, message, unit.at, metadata, urgent=True))
            return
        message = self.card(job, job_card.View(checked_at=unit.at))
        body = {"message": message.model_dump(), "ts": card_ts}
        await unit.add(unit.post(PostKind.UPDATE, body, "update"))

    def card(self, job: Job, view: job_card.View) -> Message:
        """Return a job's card, rendered by its provider."""
        return fetch.card(self.connections.get(job.ref.connection), job, view)


async def _card_metadata(tx: Transaction, watch: Watch) -> message_metadata.About:
    """Return the metadata of a watch's card; empty (unchanged) while thread replies are pending."""
    if not watch.stopper and await tx.boards.unsaid(watch.workspace, thread_of(watch)):
        return {}
    tracked = (await tx.jobs.get(watch.workspace, [watch.ref])).get(watch.ref)
    seen, revision = (tracked.seen, tracked.revision) if tracked else (None, 0)
    return message_metadata.by_card(watch, seen, revision, over=watch.state is WatchState.ENDED)


def followed_already(home: Home, watch: Watch) -> Say:
    """Return the reply that links to the card of an existing watch."""
    link = home.link(watch.channel, watch.card_ts or watch.said_ts, watch.thread_ts)
    return Say(replies.already_followed(str(watch.ref), link))
