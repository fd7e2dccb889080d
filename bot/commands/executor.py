"""Executes the actions of an answer in one transaction."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from bot.commands import replies
from bot.commands.actions import Adopt, Agree, Part, Redraw, Renew, Say, Show, Stop, StopAll
from bot.commands.show_jobs import Showing
from bot.commands.unit_of_work import Entry
from bot.delivery import message_metadata
from bot.delivery.messages import card
from bot.notifications.apply_change import Agreement, conclude
from bot.sdk.cards import job_card
from bot.store import STOPPED_BY
from bot.tracking import boards
from bot.tracking.job_updates import Following, Look

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from bot.commands.request import Ask
    from bot.commands.unit_of_work import Sender
    from bot.delivery.permalinks import Home
    from bot.providers.connections import Connections
    from bot.sdk.clock import Clock
    from bot.sdk.models import Change, JobRef
    from bot.store import Question, Store, Watch


class Ledger:
    """Executes actions. Skips an inbox item that another process has closed."""

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
        self._wake_digests = retell  # called when deferred notifications may be due earlier
        self._sender = sender
        self._notify_plugins = announce  # called with changes that the poller did not find itself
        self._wake_poller = expect  # called with the time of a connection's next poll
        self._store = store
        self._connections = connections
        self._job_updates = following
        self._clock = clock
        self._presenter = Showing(connections, following, home)

    async def commit(self, item: Question, request: Ask, actions: list[Part]) -> None:
        """Close the item and execute all actions, in one transaction."""
        async with self._store.begin() as tx:
            unit = Entry(item, request, self._clock.now(), tx, self._sender)
            if not await tx.inbox.close(item.id, unit.at):
                return  # another process answered it meanwhile
            shown = {str(n): action for n, action in enumerate(actions) if isinstance(action, Show)}
            for n, action in enumerate(actions):
                if str(n) not in shown:
                    await self._run(unit, action, str(n))
            if shown:
                await self._presenter.show(unit, shown)
        self._after_commit(unit)
        for change in unit.changes:
            await self._notify_plugins(change)

    async def say(self, item: Question, request: Ask, reply: Say, key: str) -> None:
        """Send a reply while the item stays open."""
        async with self._store.begin() as tx:
            unit = Entry(item, request, self._clock.now(), tx, self._sender)
            await unit.say(reply, key)
        self._after_commit(unit)

    def _after_commit(self, unit: Entry) -> None:
        """Run the side effects after the commit: send, wake, announce."""
        for post in unit.claimed:
            self._sender.send(post)
        if unit.rings:
            self._sender.ring()
        if unit.retells or unit.changes:
            self._wake_digests()
        for connection, due_at in unit.due:
            self._wake_poller(connection, due_at)

    async def _run(self, unit: Entry, action: Part, key: str) -> None:
        match action:
            case Say():
                await unit.say(action, key)
            case Adopt(job, card_ts, known):
                newest = await self._presenter.seen(unit, job, known)
                await self._presenter.adopt(unit, newest, card_ts)
            case Redraw(job, card_ts, known):
                newest = await self._presenter.seen(unit, job, known)
                await self._presenter.redraw(unit, newest, card_ts)
            case Stop(ref):
                await self._unfollow(unit, ref, key)
            case Agree():
                await self._change_settings(unit, action, key)
            case StopAll(board_id):
                await self._unfollow_board(unit, board_id, key)
            case Renew():
                await self._refresh_board(unit, action)

    async def _unfollow(self, unit: Entry, ref: JobRef, key: str) -> None:
        watch = await unit.tx.watches.find(unit.workspace, unit.ask.channel, ref)
        if watch is None:
            await unit.say(Say(replies.not_followed(str(ref))), key)
            return
        await unit.tx.watches.end([watch.id], now=unit.at, reason=f"{STOPPED_BY}{unit.ask.user}")
        if watch.board_id:
            await unit.redraw_board(watch.board_id)
        else:
            await self._close_card(unit, watch)
        await unit.tx.parked.drop(await unit.tx.parked.messages(watch), unit.at)
        await unit.tx.jobs.settle(unit.workspace, [ref])
        reply = replies.no_longer_on_board if watch.board_id else replies.no_longer_followed
        await unit.say(Say(reply(str(ref))), key)

    async def _close_card(self, unit: Entry, watch: Watch) -> None:
        """Update a card: its job is no longer followed."""
        tracked = (await unit.tx.jobs.get(unit.workspace, [watch.ref])).get(watch.ref)
        if tracked is not None and tracked.seen is not None and not watch.cardless:
            view = job_card.View(checked_at=tracked.checked_at or unit.at)
            metadata = message_metadata.by_card(watch, tracked.seen, tracked.revision, over=True)
            message = self._presenter.card(tracked.seen, view)
            await unit.replace(card(watch, message, unit.at, metadata, urgent=True))

    async def _unfollow_board(self, unit: Entry, board_id: str, key: str) -> None:
        """End all watches of a board, which closes it."""
        why = f"{STOPPED_BY}{unit.ask.user}"
        count = await boards.stop(unit.tx, board_id, unit.at, why)
        await unit.redraw_board(board_id)
        await unit.say(Say(replies.all_stopped(count)), key)

    async def _refresh_board(self, unit: Entry, action: Renew) -> None:
        """Store the poll results of a board's jobs, and update the board."""
        ordered = sorted(action.found, key=lambda pair: pair[0].ref.connection)
        for connection, group in groupby(ordered, key=lambda pair: pair[0].ref.connection):
            results = [Look(watched, job, unit.at) for watched, job in group]
            provider = self._connections.get(connection)
            unit.changes += await self._job_updates.write(unit.tx, provider, results)
        await unit.redraw_board(action.board_id)

    async def _change_settings(self, unit: Entry, action: Agree, key: str) -> None:
        """Change the channel settings, and re-evaluate the channel's deferred notifications."""
        request = unit.ask
        agreement = Agreement(unit.workspace, request.channel, request.user, action, unit.at)
        reply = await conclude(unit.tx, self._job_updates.notices, agreement)
        await unit.say(Say(reply), key)
        unit.rings = unit.retells = True
