"""Executes the actions of an answer in one transaction."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from bot.commands import replies
from bot.commands.actions import (
    Action,
    ChangeSettings,
    FollowFromCard,
    RefreshBoard,
    RefreshCard,
    Reply,
    ShowJob,
    Unfollow,
    UnfollowBoard,
)
from bot.commands.show_jobs import JobPresenter
from bot.commands.unit_of_work import UnitOfWork
from bot.notifications.apply_change import SettingsChange, apply
from bot.store import STOPPED_BY_PREFIX
from bot.tracking import boards
from bot.tracking.job_updates import JobUpdates, PollResult
from bot.tracking.presentation import presentation_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from bot.commands.request import Request
    from bot.commands.unit_of_work import OutboxSender
    from bot.delivery.permalinks import Workspace
    from bot.providers.connections import Connections
    from bot.sdk.clock import Clock
    from bot.sdk.models import Change, JobRef
    from bot.store import InboxItem, Store


class ActionExecutor:
    """Executes actions. Skips an inbox item that another process has closed."""

    def __init__(
        self,
        *,
        store: Store,
        connections: Connections,
        job_updates: JobUpdates,
        clock: Clock,
        slack_workspace: Workspace,
        sender: OutboxSender,
        wake_poller: Callable[[str, datetime], None],
        notify_plugins: Callable[[Change], Awaitable[None]],
        wake_digests: Callable[[], None] = lambda: None,
    ) -> None:
        self._wake_digests = wake_digests  # called when deferred notifications may be due earlier
        self._sender = sender
        self._notify_plugins = (
            notify_plugins  # called with changes that the poller did not find itself
        )
        self._wake_poller = wake_poller  # called with the time of a connection's next poll
        self._store = store
        self._connections = connections
        self._job_updates = job_updates
        self._clock = clock
        self._presenter = JobPresenter(connections, job_updates, slack_workspace)

    async def commit(self, item: InboxItem, request: Request, actions: list[Action]) -> None:
        """Close the item and execute all actions, in one transaction."""
        async with self._store.begin() as tx:
            unit = UnitOfWork(item, request, self._clock.now(), tx, self._sender)
            if not await tx.inbox.close(item.id, unit.now):
                return  # another process answered it meanwhile
            shown = {
                str(n): action for n, action in enumerate(actions) if isinstance(action, ShowJob)
            }
            for n, action in enumerate(actions):
                if str(n) not in shown:
                    await self._run(unit, action, str(n))
            if shown:
                await self._presenter.show(unit, shown)
        self._after_commit(unit)
        for change in unit.changes:
            await self._notify_plugins(change)

    async def send_interim_reply(
        self, item: InboxItem, request: Request, reply: Reply, key: str
    ) -> None:
        """Send a reply while the item stays open."""
        async with self._store.begin() as tx:
            unit = UnitOfWork(item, request, self._clock.now(), tx, self._sender)
            await unit.reply(reply, key)
        self._after_commit(unit)

    def _after_commit(self, unit: UnitOfWork) -> None:
        """Run the side effects after the commit: send, wake, announce."""
        for post in unit.claimed:
            self._sender.send(post)
        if unit.wakes_dispatcher:
            self._sender.wake()
        if unit.wakes_digests or unit.changes:
            self._wake_digests()
        for connection, due_at in unit.next_polls:
            self._wake_poller(connection, due_at)

    async def _run(self, unit: UnitOfWork, action: Action, key: str) -> None:
        match action:
            case Reply():
                await unit.reply(action, key)
            case FollowFromCard(job, card_ts, known):
                newest = await self._presenter.record_snapshot(unit, job, known)
                await self._presenter.follow_from_card(unit, newest, card_ts)
            case RefreshCard(job, card_ts, known):
                newest = await self._presenter.record_snapshot(unit, job, known)
                await self._presenter.refresh_card(unit, newest, card_ts)
            case Unfollow(ref):
                await self._unfollow(unit, ref, key)
            case ChangeSettings():
                await self._change_settings(unit, action, key)
            case UnfollowBoard(board_id):
                await self._unfollow_board(unit, board_id, key)
            case RefreshBoard():
                await self._refresh_board(unit, action)

    async def _unfollow(self, unit: UnitOfWork, ref: JobRef, key: str) -> None:
        watch = await unit.tx.watches.find(unit.workspace, unit.request.channel, ref)
        if watch is None:
            await unit.reply(Reply(replies.not_followed(str(ref))), key)
            return
        await unit.tx.watches.end(
            [watch.id], now=unit.now, reason=f"{STOPPED_BY_PREFIX}{unit.request.user}"
        )
        shown = presentation_of(watch)
        await unit.write(shown.close(await self._presenter.stored_state(unit, watch)))
        await unit.tx.dead_letters.drop(await unit.tx.dead_letters.messages(watch), unit.now)
        await unit.tx.jobs.sleep_unwatched(unit.workspace, [ref])
        reply = replies.unfollowed_on_board if shown.shared else replies.unfollowed
        await unit.reply(Reply(reply(str(ref))), key)

    async def _unfollow_board(self, unit: UnitOfWork, board_id: str, key: str) -> None:
        """End all watches of a board, which closes it."""
        why = f"{STOPPED_BY_PREFIX}{unit.request.user}"
        count = await boards.unfollow_all(unit.tx, board_id, unit.now, why)
        await unit.redraw_board(board_id)
        await unit.reply(Reply(replies.board_unfollowed(count)), key)

    async def _refresh_board(self, unit: UnitOfWork, action: RefreshBoard) -> None:
        """Store the poll results of a board's jobs, and update the board."""
        ordered = sorted(action.polled, key=lambda pair: pair[0].ref.connection)
        for connection, group in groupby(ordered, key=lambda pair: pair[0].ref.connection):
            results = [PollResult(watched, job, unit.now) for watched, job in group]
            renderer = self._connections.renderer(connection)
            unit.changes += await self._job_updates.apply(unit.tx, renderer, results)
        await unit.redraw_board(action.board_id)

    async def _change_settings(self, unit: UnitOfWork, action: ChangeSettings, key: str) -> None:
        """Change the channel settings, and re-evaluate the channel's deferred notifications."""
        request = unit.request
        change = SettingsChange(
            unit.workspace, request.channel, request.user, unit.now, action.changes, action.revision
        )
        reply = await apply(unit.tx, self._job_updates.notifier, change)
        await unit.reply(Reply(reply), key)
        unit.wakes_dispatcher = unit.wakes_digests = True
