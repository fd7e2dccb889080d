"""Ends the watches of connections that are no longer configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.store import Transaction, WatchState
from bot.tracking import job_notifications, texts
from bot.tracking.boards import PendingUpdates
from bot.tracking.presentation import presentation_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from bot.notifications.notifier import Notifier
    from bot.store import Watch

_REASON = "its connection is no longer set up"


async def end_unconfigured(
    tx: Transaction, connections: Collection[str], now: datetime, notifier: Notifier
) -> int:
    """End the watches of unconfigured connections and notify their threads; return their number."""
    if set(await tx.jobs.connections()) <= set(connections):
        return 0
    orphaned = [w for w in await tx.watches.list_open() if w.ref.connection not in connections]
    ended = [w for w in orphaned if w.state is WatchState.ACTIVE]  # unreachable: no notification
    updates = PendingUpdates(tx, now)
    for watch in ended:
        await _end(tx, watch, now, notifier)
        await updates.add(presentation_of(watch).end())
    await updates.redraw_boards()
    return len(ended)


async def _end(tx: Transaction, watch: Watch, now: datetime, notifier: Notifier) -> None:
    """End one watch, and notify its thread."""
    watched = (await tx.jobs.get(watch.workspace, [watch.ref])).get(watch.ref)
    message, shown = texts.connection_removed(watch.ref), presentation_of(watch)
    notice = job_notifications.watch_ended(shown, watched, "unset", message, now)
    await notifier.notify(tx, [notice])
    await tx.watches.end([watch.id], now=now, reason=_REASON)
    await tx.jobs.sleep_unwatched(watch.workspace, [watch.ref])
