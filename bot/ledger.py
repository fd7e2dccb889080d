"""The ledger: writes down, in one transaction, all that the answer to a question does."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from bot import answers, told
from bot.boards import boards
from bot.cards import cards
from bot.channels.agreements import Agreement, conclude
from bot.entry import Entry
from bot.following import Following, Look
from bot.parts import Adopt, Agree, Part, Redraw, Renew, Say, Show, Stop, StopAll
from bot.posts import card
from bot.showing import Showing
from bot.store import STOPPED_BY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from bot.asks import Ask
    from bot.clock import Clock
    from bot.entry import Sender
    from bot.home import Home
    from bot.models import Change, JobRef
    from bot.providers.connections import Connections
    from bot.store import Question, Store, Watch


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
        retell: Callable[[], None] = lambda: None,
    ) -> None:
        self._retell = retell  # is told when what is held may have another time
        self._sender = sender
        self._announce = announce  # is told what a look that was not the poller's found changed
        self._expect = expect  # is told when a connection's next look is due
        self._store = store
        self._connections = connections
        self._following = following
        self._clock = clock
        self._showing = Showing(connections, following, home)

    async def commit(self, question: Question, ask: Ask, parts: list[Part]) -> None:
        """Close the question and do all the parts of its answer, or nothing."""
        async with self._store.begin() as tx:
            entry = Entry(question, ask, self._clock.now(), tx, self._sender)
            if not await tx.inbox.close(question.id, entry.at):
                return  # another process answered it meanwhile
            shown = {str(n): part for n, part in enumerate(parts) if isinstance(part, Show)}
            for n, part in enumerate(parts):
                if str(n) not in shown:
                    await self._write(entry, part, str(n))
            if shown:
                await self._showing.show(entry, shown)
        self._set_off(entry)
        for change in entry.changes:
            await self._announce(change)

    async def say(self, question: Question, ask: Ask, said: Say, key: str) -> None:
        """Tell the asker something while the question stays open."""
        async with self._store.begin() as tx:
            entry = Entry(question, ask, self._clock.now(), tx, self._sender)
            await entry.say(said, key)
        self._set_off(entry)

    def _set_off(self, entry: Entry) -> None:
        """Begin what was written down."""
        for post in entry.claimed:
            self._sender.send(post)
        if entry.rings:
            self._sender.ring()
        if entry.retells or entry.changes:
            self._retell()
        for connection, due_at in entry.due:
            self._expect(connection, due_at)

    async def _write(self, entry: Entry, part: Part, key: str) -> None:
        match part:
            case Say():
                await entry.say(part, key)
            case Adopt(job, card_ts, known):
                newest = await self._showing.seen(entry, job, known)
                await self._showing.adopt(entry, newest, card_ts)
            case Redraw(job, card_ts, known):
                newest = await self._showing.seen(entry, job, known)
                await self._showing.redraw(entry, newest, card_ts)
            case Stop(ref):
                await self._stop(entry, ref, key)
            case Agree():
                await self._agree(entry, part, key)
            case StopAll(board_id):
                await self._stop_all(entry, board_id, key)
            case Renew():
                await self._renew(entry, part)

    async def _stop(self, entry: Entry, ref: JobRef, key: str) -> None:
        watch = await entry.tx.watches.find(entry.workspace, entry.ask.channel, ref)
        if watch is None:
            await entry.say(Say(answers.not_followed(str(ref))), key)
            return
        await entry.tx.watches.end([watch.id], now=entry.at, reason=f"{STOPPED_BY}{entry.ask.user}")
        if watch.board_id:
            await entry.redraw_board(watch.board_id)
        else:
            await self._last_card(entry, watch)
        await entry.tx.parked.drop(await entry.tx.parked.messages(watch), entry.at)
        await entry.tx.jobs.settle(entry.workspace, [ref])
        said = answers.no_longer_on_board if watch.board_id else answers.no_longer_followed
        await entry.say(Say(said(str(ref))), key)

    async def _last_card(self, entry: Entry, watch: Watch) -> None:
        """Let a card say that its job is not followed any more."""
        tracked = (await entry.tx.jobs.get(entry.workspace, [watch.ref])).get(watch.ref)
        if tracked is not None and tracked.seen is not None and not watch.cardless:
            view = cards.View(checked_at=tracked.checked_at or entry.at)
            about = told.by_card(watch, tracked.seen, tracked.revision, over=True)
            message = self._showing.card(tracked.seen, view)
            await entry.replace(card(watch, message, entry.at, about, urgent=True))

    async def _stop_all(self, entry: Entry, board_id: str, key: str) -> None:
        """End the following of all jobs on a board, which closes it."""
        why = f"{STOPPED_BY}{entry.ask.user}"
        count = await boards.stop(entry.tx, board_id, entry.at, why)
        await entry.redraw_board(board_id)
        await entry.say(Say(answers.all_stopped(count)), key)

    async def _renew(self, entry: Entry, part: Renew) -> None:
        """Write down a look at all jobs of a board, and draw that anew."""
        ordered = sorted(part.found, key=lambda pair: pair[0].ref.connection)
        for connection, group in groupby(ordered, key=lambda pair: pair[0].ref.connection):
            seen = [Look(watched, job, entry.at) for watched, job in group]
            provider = self._connections.get(connection)
            entry.changes += await self._following.write(entry.tx, provider, seen)
        await entry.redraw_board(part.board_id)

    async def _agree(self, entry: Entry, part: Agree, key: str) -> None:
        """Change what the channel hears, and with it what becomes of all that is held there."""
        ask = entry.ask
        agreement = Agreement(entry.workspace, ask.channel, ask.user, part, entry.at)
        said = await conclude(entry.tx, self._following.notices, agreement)
        await entry.say(Say(said), key)
        entry.rings = entry.retells = True
