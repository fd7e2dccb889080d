"""Reasons: looks up why a message is there, and what was told and held back; it changes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.channels import explanation
from bot.channels.explanation import MOST_DECISIONS, Found
from bot.channels.report import report
from bot.noise.replay import Past
from bot.noise.week import Week, begin

if TYPE_CHECKING:
    from datetime import datetime

    from bot.channels.notices import Notices
    from bot.models import JobRef, Message
    from bot.store import Said, Store, Transaction, Watch


@dataclass(frozen=True)
class Reasons:
    """Answers why, from what was written down when it was decided."""

    store: Store
    notices: Notices
    keep_days: int  # that decisions and messages are remembered

    async def of_message(self, workspace: str, channel: str, ts: str) -> Message:
        """Return why the message with this timestamp is there."""
        async with self.store.begin() as tx:
            said = await tx.decisions.said(workspace, channel, ts)
            watch = await _watch(tx, workspace, channel, ts, said)
            if said is None and watch is None:
                return explanation.forgotten(self.keep_days)
            found = await self._found(tx, workspace, channel, said, watch)
        return explanation.message(found)

    async def watch_at(self, workspace: str, channel: str, ts: str) -> Watch | None:
        """Return the watch that the message with this timestamp tells of."""
        async with self.store.begin() as tx:
            said = await tx.decisions.said(workspace, channel, ts)
            return await _watch(tx, workspace, channel, ts, said)

    async def of_job(self, workspace: str, channel: str, ref: JobRef) -> Message:
        """Return what became of what happened to a job in a channel."""
        async with self.store.begin() as tx:
            watch = await tx.watches.latest(workspace, channel, ref)
            decided = await tx.decisions.of_job(workspace, channel, ref, MOST_DECISIONS)
            found = Found(await self.notices.contract(tx, workspace, channel))
        if watch is None and not decided:
            return explanation.never_followed(str(ref), self.keep_days)
        return explanation.job(str(ref), watch, decided, found)

    async def of_week(self, workspace: str, channel: str, now: datetime) -> Message:
        """Return a channel's last seven days in figures, and what would have spared most.

        Replaying a busy week takes a while: it is done beside the event loop.
        """
        async with self.store.begin() as tx:
            policy = (await self.notices.contract(tx, workspace, channel)).policy
            first, zone = begin(policy, now)
            decided = await tx.decisions.since(workspace, channel, first)
            stood = await tx.decisions.stood(workspace, channel, first)
            reactable = await tx.decisions.reactable(workspace, channel, first)
            asked = await tx.watches.asked(workspace, channel, first)
        decided.sort(key=lambda one: one.at)  # what was held is told at another moment
        past = Past(decided, stood, reactable, asked)
        return await asyncio.to_thread(report, Week(first, zone, decided), policy, past)

    async def _found(
        self,
        tx: Transaction,
        workspace: str,
        channel: str,
        said: Said | None,
        watch: Watch | None,
    ) -> Found:
        """Gather what is known of a message."""
        board_id = (said.board_id if said else None) or (watch.board_id if watch else None)
        of_board = board_id and (said is None or said.roots_watch or said.watch_id is None)
        board = await tx.boards.get(board_id) if board_id and of_board else None
        return Found(
            contract=await self.notices.contract(tx, workspace, channel),
            said=said,
            watch=watch if board is None else None,
            name=await _name(tx, watch) if watch else "",
            decided=await tx.decisions.get(workspace, said.key) if said else None,
            board=board,
            members=await tx.decisions.of_board(board.id) if board else (),
        )


async def _watch(
    tx: Transaction, workspace: str, channel: str, ts: str, said: Said | None
) -> Watch | None:
    """Return the watch of a message: its card may have been another answer's first."""
    if said is not None and said.watch_id is not None:
        return await tx.watches.get(said.watch_id)
    return await tx.watches.by_card(workspace, channel, ts)


async def _name(tx: Transaction, watch: Watch) -> str:
    tracked = (await tx.jobs.get(watch.workspace, [watch.ref])).get(watch.ref)
    return tracked.seen.name if tracked and tracked.seen else ""
