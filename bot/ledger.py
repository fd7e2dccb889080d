"""The ledger: writes down, in one transaction, all that the answer to a question does."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from bot import answers, boards, cards, looks, seating, told
from bot.asks import Kind
from bot.entry import Entry
from bot.following import Following, Look
from bot.outlet import MAY_PASS
from bot.parts import Adopt, Part, Redraw, Renew, Say, Show, Stop, StopAll
from bot.posts import card, new_watch, root
from bot.store import PostKind, Store, WatchState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from bot.asks import Ask
    from bot.clock import Clock
    from bot.connections import Connections
    from bot.entry import Sender
    from bot.home import Home
    from bot.models import Change, Job, JobRef, Message
    from bot.store import NewPost, Question, Transaction, Watch, WatchedJob


class Ledger:
    """Writes answers down; a question that somebody else has closed is left alone."""

    def __init__(
        self,
        *,
        store: Store,
        connections: Connections,
        following: Following,
        clock: Clock,
        home: Home,
        sender: Sender,
        expect: Callable[[str, datetime], None],
        announce: Callable[[Change], Awaitable[None]],
    ) -> None:
        self._sender = sender
        self._announce = announce  # is told what a look that was not the poller's found changed
        self._expect = expect  # is told when a connection's next look is due
        self._store = store
        self._connections = connections
        self._following = following
        self._clock = clock
        self._home = home

    async def commit(self, question: Question, ask: Ask, parts: list[Part]) -> None:
        """Close the question and do all the parts of its answer, or nothing."""
        entry = Entry(question, ask, self._clock.now())
        async with self._store.begin() as tx:
            if not await tx.inbox.close(question.id, entry.at):
                return  # another process answered it meanwhile
            shown = {str(n): part for n, part in enumerate(parts) if isinstance(part, Show)}
            for n, part in enumerate(parts):
                if str(n) not in shown:
                    await self._write(tx, entry, part, str(n))
            if shown:
                await self._show_all(tx, entry, shown)
        self._set_off(entry)
        for change in entry.changes:
            await self._announce(change)

    async def say(self, question: Question, ask: Ask, said: Say, key: str) -> None:
        """Tell the asker something while the question stays open."""
        entry = Entry(question, ask, self._clock.now())
        async with self._store.begin() as tx:
            await self._say(tx, entry, said, key)
        self._set_off(entry)

    def _set_off(self, entry: Entry) -> None:
        """Begin what was written down."""
        for post in entry.claimed:
            self._sender.send(post)
        if entry.rings:
            self._sender.ring()
        for connection, due_at in entry.due:
            self._expect(connection, due_at)

    async def _write(self, tx: Transaction, entry: Entry, part: Part, key: str) -> None:
        match part:
            case Say():
                await self._say(tx, entry, part, key)
            case Adopt(job, card_ts, known):
                newest = await self._seen(tx, entry, job, known)
                await self._adopt(tx, entry, newest, card_ts)
            case Redraw(job, card_ts, known):
                newest = await self._seen(tx, entry, job, known)
                await self._redraw(tx, entry, newest, card_ts)
            case Stop(ref):
                await self._stop(tx, entry, ref, key)
            case StopAll(board_id):
                await self._stop_all(tx, entry, board_id, key)
            case Renew():
                await self._renew(tx, entry, part)

    async def _show_all(self, tx: Transaction, entry: Entry, shown: dict[str, Show]) -> None:
        """Show jobs: on one board where the channel wants it so, else on a card each."""
        there = (entry.workspace, entry.ask.channel)
        if (await self._following.notices.contract(tx, *there)).policy.board:
            await self._show_together(tx, entry, shown)
            return
        for key, show in shown.items():
            await self._begin(tx, entry, await self._newest(tx, entry, show), key)

    async def _newest(self, tx: Transaction, entry: Entry, show: Show) -> Job:
        """Write down what was found of a job, if anybody follows it anywhere."""
        if show.job.status.terminal or show.known == 0:
            return show.job
        return await self._seen(tx, entry, show.job, show.known)

    async def _show_together(self, tx: Transaction, entry: Entry, shown: dict[str, Show]) -> None:
        """Give jobs rows of a board, unless there is but one, and none was asked for just now."""
        await seating.hold(tx, entry)
        once = {show.job.ref: (key, show) for key, show in shown.items()}
        jobs = {key: await self._seen(tx, entry, s.job, s.known) for key, s in once.values()}
        place = await seating.place(tx, entry, len(jobs))
        seats: list[tuple[str, Watch, Job]] = []
        for key, job in jobs.items():
            watch = new_watch(entry.ask, entry.workspace, job)
            if job.status.terminal or not await self._taken(tx, entry, watch):
                seats.append((key, watch, job))
        if len(seats) > 1 or (seats and place):
            await self._seat(tx, entry, place, [(watch, job) for _, watch, job in seats])
            return
        for key, watch, job in seats:
            if job.status.terminal:
                await self._show(tx, entry, job, key)
            else:
                await self._open(tx, entry, watch, job)

    async def _seat(
        self,
        tx: Transaction,
        entry: Entry,
        place: seating.Place | None,
        seats: Sequence[tuple[Watch, Job]],
    ) -> None:
        """Put jobs on a board; the asker is pointed to one that stands already."""
        board = await seating.opened(tx, entry, place)
        await seating.make_room(tx, board, [job for _, job in seats])
        for watch, job in seats:
            if job.status.terminal:
                await seating.seat_ended(tx, entry, board, watch, job)
            else:
                await tx.boards.join(watch.id, board.id, board.message_ts)
                await self._track(tx, entry, watch, job)
        if place is None:
            await self._add(tx, entry, await seating.root(tx, entry, board))
            return
        await self._redraw_board(tx, entry, board.id)
        link = self._home.link(board.channel, board.message_ts, board.thread_ts)
        refs = [str(job.ref) for _, job in seats]
        await self._say(tx, entry, Say(answers.on_board(refs, link)), "board")

    async def _show(self, tx: Transaction, entry: Entry, job: Job, key: str) -> None:
        message = self._card(job, cards.View(checked_at=entry.at))
        body = {"message": message.model_dump(), **entry.ask.way_back()}
        await self._add(tx, entry, entry.post(PostKind.POST, body, key))

    async def _begin(self, tx: Transaction, entry: Entry, job: Job, key: str) -> None:
        """Follow a job from a card of its own, unless it ended while it was being looked at."""
        if job.status.terminal:
            await self._show(tx, entry, job, key)
        else:
            await self._follow(tx, entry, new_watch(entry.ask, entry.workspace, job), job)

    async def _follow(self, tx: Transaction, entry: Entry, watch: Watch, job: Job) -> None:
        """Begin to follow a job; what is newly seen of it was told in its other threads first."""
        if not await self._taken(tx, entry, watch):
            await self._open(tx, entry, watch, job)

    async def _taken(self, tx: Transaction, entry: Entry, watch: Watch) -> bool:
        """Begin a watch, or point the asker to the one that follows its job here already."""
        other = await self._rival(tx, entry, watch)
        if other is not None:
            await self._say(tx, entry, followed_already(self._home, other), watch.id)
        return other is not None

    async def _track(self, tx: Transaction, entry: Entry, watch: Watch, job: Job) -> WatchedJob:
        """Look after a job; where it was seen to end meanwhile, the watch ends with it."""
        due = self._following.next_due(job, entry.at) or entry.at
        tracked = await tx.jobs.track(entry.workspace, job, due_at=due, now=entry.at)
        entry.due.append((job.ref.connection, due))
        if tracked.seen and tracked.seen.status.terminal:
            await tx.watches.end([watch.id], now=entry.at, reason="the job ended")
            await tx.jobs.settle(entry.workspace, [job.ref])
        return tracked

    async def _open(self, tx: Transaction, entry: Entry, watch: Watch, job: Job) -> None:
        """Follow a job from a card of its own, for a watch that is written down."""
        tracked = await self._track(tx, entry, watch, job)
        job = tracked.seen or job  # where another look was written down meanwhile, that one holds
        if job.status.terminal:
            await self._show(tx, entry, job, watch.id)
            return
        message = self._card(job, self._following.view(watch, job, entry.at))
        about = told.by_card(watch, tracked.seen, tracked.revision, over=False)
        if watch.card_ts is None:
            await self._add(tx, entry, root(watch, message, entry.ask, entry.at, about))
        else:
            await self._replace(tx, entry, card(watch, message, entry.at, about, urgent=True))

    async def _adopt(self, tx: Transaction, entry: Entry, job: Job, card_ts: str) -> None:
        """Follow a job from a card that stands; one that has ended meanwhile is only drawn anew."""
        if job.status.terminal:
            await self._redraw(tx, entry, job, card_ts)
            return
        there = await tx.watches.by_card(entry.workspace, entry.ask.channel, card_ts)
        stands = None if there and there.board_id else card_ts  # it has become a board meanwhile
        watch = new_watch(entry.ask, entry.workspace, job, card_ts=stands)
        await self._follow(tx, entry, watch, job)

    async def _rival(self, tx: Transaction, entry: Entry, watch: Watch) -> Watch | None:
        """Begin a watch, and return None, or the one that follows its job here already.

        One that is parked for good, as when its card was deleted, makes room.
        """
        if await tx.watches.add(watch):
            return None
        other = await tx.watches.find(entry.workspace, watch.channel, watch.ref)
        if other is None or other.state is WatchState.ACTIVE or other.reason in MAY_PASS:
            return other or watch
        await tx.watches.end([other.id], now=entry.at, reason="asked for anew")
        await tx.parked.drop(await tx.parked.messages(other), entry.at)
        await boards.settle(tx, other, entry.at)
        return None if await tx.watches.add(watch) else watch

    async def _seen(self, tx: Transaction, entry: Entry, job: Job, known: int | None) -> Job:
        """Write down a look that was not the poller's, if the job is followed anywhere.

        Return the job as it is known now: where another look was written down meanwhile, nobody
        can tell which is the newer, so that one holds until the next.
        """
        tracked = (await tx.jobs.get(entry.workspace, [job.ref])).get(job.ref)
        if tracked is None:
            return job
        if known not in (None, tracked.revision) and tracked.seen is not None:
            return tracked.seen
        provider = self._connections.get(job.ref.connection)
        looked = [Look(tracked, job, entry.at)]
        entry.changes += await self._following.write(tx, provider, looked)
        entry.rings = True
        return job

    async def _redraw(self, tx: Transaction, entry: Entry, job: Job, card_ts: str) -> None:
        watch = await tx.watches.by_card(entry.workspace, entry.ask.channel, card_ts)
        if watch is not None and watch.board_id:
            await self._redraw_board(tx, entry, watch.board_id)
            return
        if watch is not None:
            message = self._card(job, self._following.view(watch, job, entry.at))
            about = await _about(tx, watch)
            await self._replace(tx, entry, card(watch, message, entry.at, about, urgent=True))
            return
        message = self._card(job, cards.View(checked_at=entry.at))
        body = {"message": message.model_dump(), "ts": card_ts}
        await self._add(tx, entry, entry.post(PostKind.UPDATE, body, "update"))

    async def _stop(self, tx: Transaction, entry: Entry, ref: JobRef, key: str) -> None:
        watch = await tx.watches.find(entry.workspace, entry.ask.channel, ref)
        if watch is None:
            await self._say(tx, entry, Say(answers.not_followed(str(ref))), key)
            return
        await tx.watches.end([watch.id], now=entry.at, reason=f"stopped by {entry.ask.user}")
        if watch.board_id:
            await self._redraw_board(tx, entry, watch.board_id)
        else:
            await self._last_card(tx, entry, watch)
        await tx.parked.drop(await tx.parked.messages(watch), entry.at)
        await tx.jobs.settle(entry.workspace, [ref])
        said = answers.no_longer_on_board if watch.board_id else answers.no_longer_followed
        await self._say(tx, entry, Say(said(str(ref))), key)

    async def _last_card(self, tx: Transaction, entry: Entry, watch: Watch) -> None:
        """Let a card say that its job is not followed any more."""
        tracked = (await tx.jobs.get(entry.workspace, [watch.ref])).get(watch.ref)
        if tracked is not None and tracked.seen is not None:
            view = cards.View(checked_at=tracked.checked_at or entry.at)
            about = told.by_card(watch, tracked.seen, tracked.revision, over=True)
            message = self._card(tracked.seen, view)
            await self._replace(tx, entry, card(watch, message, entry.at, about, urgent=True))

    async def _stop_all(self, tx: Transaction, entry: Entry, board_id: str, key: str) -> None:
        """End the following of all jobs on a board, which closes it."""
        why = f"stopped by {entry.ask.user}"
        count = await boards.stop(tx, board_id, entry.at, why)
        await self._redraw_board(tx, entry, board_id)
        await self._say(tx, entry, Say(answers.all_stopped(count)), key)

    async def _renew(self, tx: Transaction, entry: Entry, part: Renew) -> None:
        """Write down a look at all jobs of a board, and draw that anew."""
        ordered = sorted(part.found, key=lambda pair: pair[0].ref.connection)
        for connection, group in groupby(ordered, key=lambda pair: pair[0].ref.connection):
            seen = [Look(watched, job, entry.at) for watched, job in group]
            provider = self._connections.get(connection)
            entry.changes += await self._following.write(tx, provider, seen)
        await self._redraw_board(tx, entry, part.board_id)

    async def _redraw_board(self, tx: Transaction, entry: Entry, board_id: str) -> None:
        await boards.redraw(tx, board_id, entry.at, urgent=True)
        entry.rings = True

    async def _say(self, tx: Transaction, entry: Entry, said: Say, key: str) -> None:
        """Tell the asker alone; in a direct message everything is for the asker alone."""
        ask = entry.ask
        body = {
            **ask.way_back(),
            "message": said.message.model_dump() if said.message else None,
            "replace": said.replace,
            "delete": said.delete,
        }
        kind = PostKind.POST if ask.kind is Kind.DIRECT else PostKind.EPHEMERAL
        await self._add(tx, entry, entry.post(kind, body, key))

    async def _add(self, tx: Transaction, entry: Entry, post: NewPost) -> None:
        """Write down the first message of a thread, to be sent at once if that may be."""
        claim = self._sender.reserve(post, entry.at)
        if claim is None:
            await tx.outbox.add([post], entry.at)
            entry.rings = True
        elif claimed := await tx.outbox.add_claimed(post, claim, entry.at):
            entry.claimed.append(claimed)

    async def _replace(self, tx: Transaction, entry: Entry, post: NewPost) -> None:
        await tx.outbox.replace(post, entry.at)
        entry.rings = True

    def _card(self, job: Job, view: cards.View) -> Message:
        return looks.card(self._connections.get(job.ref.connection), job, view)


async def _about(tx: Transaction, watch: Watch) -> told.About:
    """Return what the card of a watch carries."""
    tracked = (await tx.jobs.get(watch.workspace, [watch.ref])).get(watch.ref)
    seen, revision = (tracked.seen, tracked.revision) if tracked else (None, 0)
    return told.by_card(watch, seen, revision, over=watch.state is WatchState.ENDED)


def followed_already(home: Home, watch: Watch) -> Say:
    """Return where the living card of a watch is."""
    link = home.link(watch.channel, watch.card_ts, watch.thread_ts)
    return Say(answers.already_followed(str(watch.ref), link))
