"""Chooses the board for newly requested jobs."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.delivery import message_metadata
from bot.delivery.messages import board_post
from bot.store import Board, BoardKind, Watch, WatchState
from bot.tracking import boards
from bot.tracking.board_card import MAX_ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.commands.unit_of_work import UnitOfWork
    from bot.sdk.models import Job
    from bot.store import NewMessage, Transaction

JOIN_WINDOW = timedelta(seconds=60)  # in which requests of one user in one thread share a board
ALREADY_ENDED = "the job had ended"  # end reason of a watch that only has a board row

Target = Board | Watch  # an existing board, or a card that becomes one


async def lock(tx: Transaction, unit: UnitOfWork) -> None:
    """Lock this user's boards in the channel until the transaction ends."""
    await tx.boards.lock_requester(unit.workspace, unit.request.channel, unit.request.user)


async def find_target(tx: Transaction, unit: UnitOfWork, jobs: int) -> Target | None:
    """Return the board or card of the user's recent request that new jobs join; None for none."""
    latest = await _lock_latest_watch(tx, unit)
    if latest is None:
        return None
    if latest.board_id is None:
        return latest if _can_become_board(latest) else None
    board = await tx.boards.lock(latest.board_id)
    full = await tx.boards.count_rows(latest.board_id) + jobs > MAX_ROWS
    return None if full else board


async def _lock_latest_watch(tx: Transaction, unit: UnitOfWork) -> Watch | None:
    """Return and lock the user's latest watch here, so that its card or board cannot change.

    Lock order: job, watch, board.
    """
    request = unit.request
    oldest = request.requested_at - JOIN_WINDOW
    criteria = (unit.workspace, request.channel, request.thread_ts, request.user, oldest)
    candidate = await tx.boards.latest_request(*criteria)
    if candidate is None:
        return None
    await tx.jobs.lock(candidate.workspace, candidate.ref)
    return await tx.boards.latest_request(*criteria, for_update=True)


def _can_become_board(watch: Watch) -> bool:
    """Whether the watch has a card, and was not started from one older than the join window."""
    if watch.uses_reactions:
        return False
    oldest = (watch.requested_at - JOIN_WINDOW).timestamp()
    return watch.card_ts is None or float(watch.card_ts) >= oldest


async def open_board(tx: Transaction, unit: UnitOfWork, target: Target | None) -> Board:
    """Return the target board. A card passes its message and id on to its new board."""
    if isinstance(target, Board):
        return target
    board = Board(
        id=target.id if target else uuid.uuid4().hex,
        workspace=unit.workspace,
        channel=unit.request.channel,
        kind=BoardKind.BOARD,
        asker=unit.request.user,
        thread_ts=unit.request.thread_ts,
        message_ts=target.card_ts if target else None,
        opened_at=unit.now,
    )
    await tx.boards.add(board)
    if target:
        await tx.boards.join(target.id, board.id, target.card_ts)
    return board


async def remove_duplicates(tx: Transaction, board: Board, jobs: Sequence[Job]) -> None:
    """Remove existing rows of jobs that are requested again: one row per job."""
    refs = {job.ref for job in jobs}
    for watch, watched in await tx.watches.of_board(board.id):
        if watched.ref in refs:
            await tx.boards.leave(watch.id)


async def add_ended_row(
    tx: Transaction, unit: UnitOfWork, board: Board, watch: Watch, job: Job
) -> None:
    """Add a row for a job that has already ended; it is not polled."""
    row = replace(
        watch,
        state=WatchState.ENDED,
        ended_at=unit.now,
        reason=ALREADY_ENDED,
        board_id=board.id,
        card_ts=board.message_ts,
    )
    await tx.watches.add(row)
    await tx.jobs.track(unit.workspace, job, due_at=None, now=unit.now)


async def opening_message(tx: Transaction, unit: UnitOfWork, board: Board) -> NewMessage:
    """Return the post of a new board; close the board if all its jobs have ended."""
    watch_rows = await tx.watches.of_board(board.id)
    if closed := not any(boards.is_open(watch) for watch, _ in watch_rows):
        await tx.boards.close(board.id, unit.now)
    message = boards.render(board, watch_rows, unit.now, closed=closed)
    metadata = message_metadata.for_board(board, boards.row_states(watch_rows))
    return board_post(board, message, unit.request.reply_target(), unit.now, metadata)
