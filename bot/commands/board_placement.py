"""Chooses the board for newly requested jobs."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.delivery import message_metadata
from bot.delivery.messages import board_root
from bot.store import Board, BoardKind, Watch, WatchState
from bot.tracking import boards
from bot.tracking.board_card import MOST_ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.commands.unit_of_work import Entry
    from bot.sdk.models import Job
    from bot.store import NewPost, Transaction

JOIN_WINDOW = timedelta(seconds=60)  # in which requests of one user in one thread share a board
ALREADY_ENDED = "the job had ended"  # end reason of a watch that only has a board row

Place = Board | Watch  # an existing board, or a card that becomes one


async def hold(tx: Transaction, unit: Entry) -> None:
    """Lock this user's boards in the channel until the transaction ends."""
    await tx.boards.hold(unit.workspace, unit.ask.channel, unit.ask.user)


async def place(tx: Transaction, unit: Entry, jobs: int) -> Place | None:
    """Return the board or card of the user's recent request that new jobs join; None for none."""
    latest = await _lock_latest_watch(tx, unit)
    if latest is None:
        return None
    if latest.board_id is None:
        return None if _has_old_card(latest) else latest
    board = await tx.boards.lock(latest.board_id)
    full = await tx.boards.rows(latest.board_id) + jobs > MOST_ROWS
    return None if full else board


async def _lock_latest_watch(tx: Transaction, unit: Entry) -> Watch | None:
    """Return and lock the user's latest watch here, so that its card or board cannot change.

    Lock order: job, watch, board.
    """
    request = unit.ask
    oldest = request.at - JOIN_WINDOW
    criteria = (unit.workspace, request.channel, request.thread_ts, request.user, oldest)
    candidate = await tx.boards.fresh(*criteria)
    if candidate is None:
        return None
    await tx.jobs.hold(candidate.workspace, candidate.ref)
    return await tx.boards.fresh(*criteria, alone=True)


def _has_old_card(watch: Watch) -> bool:
    """Whether the watch was started from a card older than the join window."""
    posted_at = watch.card_ts and float(watch.card_ts)
    return bool(posted_at and posted_at < (watch.asked_at - JOIN_WINDOW).timestamp())


async def opened(tx: Transaction, unit: Entry, target: Place | None) -> Board:
    """Return the target board. A card passes its message and id on to its new board."""
    if isinstance(target, Board):
        return target
    board = Board(
        id=target.id if target else uuid.uuid4().hex,
        workspace=unit.workspace,
        channel=unit.ask.channel,
        kind=BoardKind.BOARD,
        asker=unit.ask.user,
        thread_ts=unit.ask.thread_ts,
        message_ts=target.card_ts if target else None,
        opened_at=unit.at,
    )
    await tx.boards.add(board)
    if target:
        await tx.boards.join(target.id, board.id, target.card_ts)
    return board


async def make_room(tx: Transaction, board: Board, jobs: Sequence[Job]) -> None:
    """Remove existing rows of jobs that are requested again: one row per job."""
    refs = {job.ref for job in jobs}
    for watch, watched in await tx.watches.of_board(board.id):
        if watched.ref in refs:
            await tx.boards.leave(watch.id)


async def seat_ended(tx: Transaction, unit: Entry, board: Board, watch: Watch, job: Job) -> None:
    """Add a row for a job that has already ended; it is not polled."""
    row = replace(
        watch,
        state=WatchState.ENDED,
        ended_at=unit.at,
        reason=ALREADY_ENDED,
        board_id=board.id,
        card_ts=board.message_ts,
    )
    await tx.watches.add(row)
    await tx.jobs.track(unit.workspace, job, due_at=None, now=unit.at)


async def root(tx: Transaction, unit: Entry, board: Board) -> NewPost:
    """Return the post of a new board; close the board if all its jobs have ended."""
    watch_rows = await tx.watches.of_board(board.id)
    if closed := not any(boards.living(watch) for watch, _ in watch_rows):
        await tx.boards.close(board.id, unit.at)
    message = boards.drawn(board, watch_rows, unit.at, closed=closed)
    metadata = message_metadata.by_board(board, boards.standings(watch_rows))
    return board_root(board, message, unit.ask, unit.at, metadata)
