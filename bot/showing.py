"""Showing: jobs get their cards, rows of a board or reactions, and are followed from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot import answers, told
from bot.boards import boards, seating
from bot.cards import cards
from bot.delivery.outlet import MAY_PASS
from bot.following import Look
from bot.noise.decision import Opening, opening
from bot.parts import Say
from bot.posts import card, new_watch, quiet_watch, reaction, root, thread_of
from bot.providers import looks
from bot.store import PostKind, WatchState
from bot.words import REACTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.entry import Entry
    from bot.following import Following
    from bot.home import Home
    from bot.models import Job, Message
    from bot.parts import Show
    from bot.providers.connections import Connections
    from bot.store import Transaction, Watch, WatchedJob


@dataclass(frozen=True)
class Showing:
    """Writes down what shows jobs, in the transaction of the answer."""

    connections: Connections
    following: Following
    home: Home

    async def show(self, entry: Entry, shown: dict[str, Show]) -> None:
        """Show jobs: on one board where the channel wants it so, else on a card each."""
        there = (entry.workspace, entry.ask.channel)
        policy = (await self.following.notices.contract(entry.tx, *there)).policy
        how = opening(policy, len(shown), can_react=entry.ask.said_ts is not None)
        if how is Opening.BOARD:
            await self._show_together(entry, shown)
            return
        begin = self._react if how is Opening.REACTION else self._begin
        for key, show in shown.items():
            await begin(entry, await self._newest(entry, show), key)

    async def _newest(self, entry: Entry, show: Show) -> Job:
        """Write down what was found of a job, if anybody follows it anywhere."""
        if show.job.status.terminal or show.known == 0:
            return show.job
        return await self.seen(entry, show.job, show.known)

    async def _show_together(self, entry: Entry, shown: dict[str, Show]) -> None:
        """Give jobs rows of a board, unless there is but one, and none was asked for just now."""
        await seating.hold(entry.tx, entry)
        once = {show.job.ref: (key, show) for key, show in shown.items()}
        jobs = {key: await self.seen(entry, s.job, s.known) for key, s in once.values()}
        place = await seating.place(entry.tx, entry, len(jobs))
        seats: list[tuple[str, Watch, Job]] = []
        for key, job in jobs.items():
            watch = new_watch(entry.ask, entry.workspace, job)
            if job.status.terminal or not await self._taken(entry, watch):
                seats.append((key, watch, job))
        if len(seats) > 1 or (seats and place):
            await self._seat(entry, place, [(watch, job) for _, watch, job in seats])
            return
        for key, watch, job in seats:
            if job.status.terminal:
                await self._shown(entry, job, key)
            else:
                await self._open(entry, watch, job)

    async def _seat(
        self,
        entry: Entry,
        place: seating.Place | None,
        seats: Sequence[tuple[Watch, Job]],
    ) -> None:
        """Put jobs on a board; the asker is pointed to one that stands already."""
        board = await seating.opened(entry.tx, entry, place)
        await seating.make_room(entry.tx, board, [job for _, job in seats])
        for watch, job in seats:
            if job.status.terminal:
                await seating.seat_ended(entry.tx, entry, board, watch, job)
            else:
                await entry.tx.boards.join(watch.id, board.id, board.message_ts)
                await self._track(entry, watch, job)
        if place is None:
            await entry.add(await seating.root(entry.tx, entry, board))
            return
        await entry.redraw_board(board.id)
        link = self.home.link(board.channel, board.message_ts, board.thread_ts)
        refs = [str(job.ref) for _, job in seats]
        await entry.say(Say(answers.on_board(refs, link)), "board")

    async def _shown(self, entry: Entry, job: Job, key: str) -> None:
        message = self.card(job, cards.View(checked_at=entry.at))
        body = {"message": message.model_dump(), **entry.ask.way_back()}
        await entry.add(entry.post(PostKind.POST, body, key))

    async def _begin(self, entry: Entry, job: Job, key: str) -> None:
        """Follow a job from a card of its own, unless it ended while it was being looked at."""
        if job.status.terminal:
            await self._shown(entry, job, key)
        else:
            await self._follow(entry, new_watch(entry.ask, entry.workspace, job), job)

    async def _follow(self, entry: Entry, watch: Watch, job: Job) -> None:
        """Begin to follow a job; what is newly seen of it was told in its other threads first."""
        if not await self._taken(entry, watch):
            await self._open(entry, watch, job)

    async def _taken(self, entry: Entry, watch: Watch) -> bool:
        """Begin a watch, or point the asker to the one that follows its job here already."""
        other = await self._rival(entry, watch)
        if other is not None:
            await entry.say(followed_already(self.home, other), watch.id)
        return other is not None

    async def _track(self, entry: Entry, watch: Watch, job: Job) -> WatchedJob:
        """Look after a job; where it was seen to end meanwhile, the watch ends with it."""
        due = self.following.next_due(job, entry.at) or entry.at
        tracked = await entry.tx.jobs.track(entry.workspace, job, due_at=due, now=entry.at)
        entry.due.append((job.ref.connection, due))
        if tracked.seen and tracked.seen.status.terminal:
            await entry.tx.watches.end([watch.id], now=entry.at, reason="the job ended")
            await entry.tx.jobs.settle(entry.workspace, [job.ref])
        return tracked

    async def _open(self, entry: Entry, watch: Watch, job: Job) -> None:
        """Follow a job from a card of its own, for a watch that is written down."""
        tracked = await self._track(entry, watch, job)
        job = tracked.seen or job  # where another look was written down meanwhile, that one holds
        if job.status.terminal:
            await self._shown(entry, job, watch.id)
            return
        message = self.card(job, self.following.view(watch, job, entry.at))
        about = told.by_card(watch, tracked.seen, tracked.revision, over=False)
        if watch.card_ts is None:
            await entry.add(root(watch, message, entry.ask, entry.at, about))
        else:
            await entry.replace(card(watch, message, entry.at, about, urgent=True))

    async def _react(self, entry: Entry, job: Job, key: str) -> None:
        """Tell a job's state on the message that asked for it, and follow it from there."""
        watch = quiet_watch(entry.ask, entry.workspace, job)
        if not job.status.terminal:
            if await self._taken(entry, watch):
                return
            job = (await self._track(entry, watch, job)).seen or job
        names, reason = [REACTIONS[job.status]], f"asked for by {entry.ask.user}"
        await entry.add(reaction(watch, f"begun:{key}", names, entry.at, reason=reason))

    async def adopt(self, entry: Entry, job: Job, card_ts: str) -> None:
        """Follow a job from a card that stands; one that has ended meanwhile is only drawn anew."""
        if job.status.terminal:
            await self.redraw(entry, job, card_ts)
            return
        there = await entry.tx.watches.by_card(entry.workspace, entry.ask.channel, card_ts)
        stands = None if there and there.board_id else card_ts  # it has become a board meanwhile
        watch = new_watch(entry.ask, entry.workspace, job, card_ts=stands)
        await self._follow(entry, watch, job)

    async def _rival(self, entry: Entry, watch: Watch) -> Watch | None:
        """Begin a watch, and return None, or the one that follows its job here already.

        One that is parked for good, as when its card was deleted, makes room.
        """
        if await entry.tx.watches.add(watch):
            return None
        other = await entry.tx.watches.find(entry.workspace, watch.channel, watch.ref)
        if other is None or other.state is WatchState.ACTIVE or other.reason in MAY_PASS:
            return other or watch
        await entry.tx.watches.end([other.id], now=entry.at, reason="asked for anew")
        await entry.tx.parked.drop(await entry.tx.parked.messages(other), entry.at)
        await boards.settle(entry.tx, other, entry.at)
        return None if await entry.tx.watches.add(watch) else watch

    async def seen(self, entry: Entry, job: Job, known: int | None) -> Job:
        """Write down a look that was not the poller's, if the job is followed anywhere.

        Return the job as it is known now: where another look was written down meanwhile, nobody
        can tell which is the newer, so that one holds until the next.
        """
        tracked = (await entry.tx.jobs.get(entry.workspace, [job.ref])).get(job.ref)
        if tracked is None:
            return job
        if known not in (None, tracked.revision) and tracked.seen is not None:
            return tracked.seen
        provider = self.connections.get(job.ref.connection)
        looked = [Look(tracked, job, entry.at)]
        entry.changes += await self.following.write(entry.tx, provider, looked)
        entry.rings = True
        return job

    async def redraw(self, entry: Entry, job: Job, card_ts: str) -> None:
        """Draw a card anew, or the board that it has become."""
        watch = await entry.tx.watches.by_card(entry.workspace, entry.ask.channel, card_ts)
        if watch is not None and watch.board_id:
            await entry.redraw_board(watch.board_id)
            return
        if watch is not None:
            message = self.card(job, self.following.view(watch, job, entry.at))
            about = await _about(entry.tx, watch)
            await entry.replace(card(watch, message, entry.at, about, urgent=True))
            return
        message = self.card(job, cards.View(checked_at=entry.at))
        body = {"message": message.model_dump(), "ts": card_ts}
        await entry.add(entry.post(PostKind.UPDATE, body, "update"))

    def card(self, job: Job, view: cards.View) -> Message:
        """Return a job's card as its provider has it."""
        return looks.card(self.connections.get(job.ref.connection), job, view)


async def _about(tx: Transaction, watch: Watch) -> told.About:
    """Return what the card of a watch carries; what it carried, while its thread waits for news."""
    if not watch.stopper and await tx.boards.unsaid(watch.workspace, thread_of(watch)):
        return {}
    tracked = (await tx.jobs.get(watch.workspace, [watch.ref])).get(watch.ref)
    seen, revision = (tracked.seen, tracked.revision) if tracked else (None, 0)
    return told.by_card(watch, seen, revision, over=watch.state is WatchState.ENDED)


def followed_already(home: Home, watch: Watch) -> Say:
    """Return where the living card of a watch is."""
    link = home.link(watch.channel, watch.card_ts or watch.said_ts, watch.thread_ts)
    return Say(answers.already_followed(str(watch.ref), link))
