"""Looks up why a message was sent and how events were decided; read-only."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.notifications import explanation
from bot.notifications.explanation import MAX_DECISIONS, MessageOrigin
from bot.notifications.report.replay import DecisionHistory
from bot.notifications.report.report import render_report
from bot.notifications.report.statistics import WeeklyStatistics, week_start

if TYPE_CHECKING:
    from datetime import datetime

    from bot.notifications.notifier import Notifier
    from bot.sdk.models import JobRef, Message
    from bot.store import SentMessage, Store, Transaction, Watch


@dataclass(frozen=True)
class Explainer:
    """Explains messages and jobs from the stored decisions."""

    store: Store
    notifier: Notifier
    keep_days: int  # retention of decisions and messages

    async def explain_message(self, workspace: str, channel: str, ts: str) -> Message:
        """Return why the message with this timestamp was sent."""
        async with self.store.begin() as tx:
            sent = await tx.decisions.sent_message(workspace, channel, ts)
            watch = await _find_watch(tx, workspace, channel, ts, sent)
            if sent is None and watch is None:
                return explanation.unknown_message(self.keep_days)
            origin = await self._load_origin(tx, workspace, channel, sent, watch)
        return explanation.explain_message(origin)

    async def find_watch(self, workspace: str, channel: str, ts: str) -> Watch | None:
        """Return the watch that the message with this timestamp is about."""
        async with self.store.begin() as tx:
            sent = await tx.decisions.sent_message(workspace, channel, ts)
            return await _find_watch(tx, workspace, channel, ts, sent)

    async def explain_job(self, workspace: str, channel: str, ref: JobRef) -> Message:
        """Return the decisions about a job in a channel."""
        async with self.store.begin() as tx:
            watch = await tx.watches.latest(workspace, channel, ref)
            decided = await tx.decisions.of_job(workspace, channel, ref, MAX_DECISIONS)
            origin = MessageOrigin(await self.notifier.channel_settings(tx, workspace, channel))
        if watch is None and not decided:
            return explanation.never_followed(str(ref), self.keep_days)
        return explanation.explain_job(str(ref), watch, decided, origin)

    async def weekly_report(self, workspace: str, channel: str, now: datetime) -> Message:
        """Return a channel's seven-day statistics and recommended settings.

        The replay of a busy week is slow, so it runs in a worker thread.
        """
        async with self.store.begin() as tx:
            policy = (await self.notifier.channel_settings(tx, workspace, channel)).policy
            starts_at, zone = week_start(policy, now)
            decided = await tx.decisions.since(workspace, channel, starts_at)
            outcomes = await tx.decisions.last_outcomes(workspace, channel, starts_at)
            reactable = await tx.decisions.watches_with_reactions(workspace, channel, starts_at)
            watches = await tx.watches.requested_since(workspace, channel, starts_at)
        # A deferred notification is posted later than it was decided.
        decided.sort(key=lambda record: record.decided_at)
        history = DecisionHistory(decided, outcomes, reactable, watches)
        return await asyncio.to_thread(
            render_report, WeeklyStatistics(starts_at, zone, decided), policy, history
        )

    async def _load_origin(
        self,
        tx: Transaction,
        workspace: str,
        channel: str,
        sent: SentMessage | None,
        watch: Watch | None,
    ) -> MessageOrigin:
        """Load the stored data about a message."""
        board_id = (sent.board_id if sent else None) or (watch.board_id if watch else None)
        shows_board = board_id and (sent is None or sent.creates_card or sent.watch_id is None)
        board = await tx.boards.get(board_id) if board_id and shows_board else None
        return MessageOrigin(
            settings=await self.notifier.channel_settings(tx, workspace, channel),
            sent=sent,
            watch=watch if board is None else None,
            job_name=await _job_name(tx, watch) if watch else "",
            decision=await tx.decisions.get(workspace, sent.idempotency_key) if sent else None,
            board=board,
            deferred=await tx.decisions.of_board(board.id) if board else (),
        )


async def _find_watch(
    tx: Transaction, workspace: str, channel: str, ts: str, sent: SentMessage | None
) -> Watch | None:
    """Return the watch of a message; its card may have been posted by another request."""
    if sent is not None and sent.watch_id is not None:
        return await tx.watches.get(sent.watch_id)
    return await tx.watches.by_card(workspace, channel, ts)


async def _job_name(tx: Transaction, watch: Watch) -> str:
    tracked = (await tx.jobs.get(watch.workspace, [watch.ref])).get(watch.ref)
    return tracked.snapshot.name if tracked and tracked.snapshot else ""
