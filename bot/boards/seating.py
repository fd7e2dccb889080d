"""Seating: which jobs of a question get rows of a board, and on which board."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot import told
from bot.boards import boards
from bot.cards.boardcards import MOST_ROWS
from bot.posts import board_root
from bot.store import Board, BoardKind, Watch, WatchState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.entry import Entry
    from bot.models import Job
    from bot.store import NewPost, Transaction

WINDOW = timedelta(seconds=60)  # in which what one person asks in one place shares a board
HAD_ENDED = "the job had ended"  # why a watch never began: it only holds a row

Place = Board | Watch  # a board that is joined, or a card that becomes one


async def hold(tx: Transaction, entry: Entry) -> None:
    """Let nobody else find a place for this person until the transaction ends."""
    await tx.boards.hold(entry.workspace, entry.ask.channel, entry.ask.user)


async def place(tx: Transaction, entry: Entry, jobs: int) -> Place | None:
    """Return where a person's next jobs belong, if they asked for others a moment ago."""
    fresh = await _fresh(tx, entry)
    if fresh is None:
        return None
    if fresh.board_id is None:
        return None if _adopted(fresh) else fresh
    board = await tx.boards.lock(fresh.board_id)
    full = await tx.boards.rows(fresh.board_id) + jobs > MOST_ROWS
    return None if full else board


async def _fresh(tx: Transaction, entry: Entry) -> Watch | None:
    """Return what this person last asked for here, so that nobody draws or roots it meanwhile.

    Job, watch, board: whoever holds several holds them in this order.
    """
    ask = entry.ask
    there = (entry.workspace, ask.channel, ask.thread_ts, ask.user, ask.at - WINDOW)
    seen = await tx.boards.fresh(*there)
    if seen is None:
        return None
    await tx.jobs.hold(seen.workspace, seen.ref)
    return await tx.boards.fresh(*there, alone=True)


def _adopted(watch: Watch) -> bool:
    """Whether a job is followed from a card that was there long before."""
    stands = watch.card_ts and float(watch.card_ts)
    return bool(stands and stands < (watch.asked_at - WINDOW).timestamp())


async def opened(tx: Transaction, entry: Entry, at: Place | None) -> Board:
    """Return the board at a place; a card gives its message and its id to the board."""
    if isinstance(at, Board):
        return at
    board = Board(
        id=at.id if at else uuid.uuid4().hex,
        workspace=entry.workspace,
        channel=entry.ask.channel,
        kind=BoardKind.BOARD,
        asker=entry.ask.user,
        thread_ts=entry.ask.thread_ts,
        message_ts=at.card_ts if at else None,
        opened_at=entry.at,
    )
    await tx.boards.add(board)
    if at:
        await tx.boards.join(at.id, board.id, at.card_ts)
    return board


async def make_room(tx: Transaction, board: Board, jobs: Sequence[Job]) -> None:
    """Take the rows away of jobs that are asked for anew: each job has one row."""
    refs = {job.ref for job in jobs}
    for watch, watched in await tx.watches.of_board(board.id):
        if watched.ref in refs:
            await tx.boards.leave(watch.id)


async def seat_ended(tx: Transaction, entry: Entry, board: Board, watch: Watch, job: Job) -> None:
    """Give a job that had ended when it was asked for a row; nobody looks at it again."""
    row = replace(
        watch,
        state=WatchState.ENDED,
        ended_at=entry.at,
        reason=HAD_ENDED,
        board_id=board.id,
        card_ts=board.message_ts,
    )
    await tx.watches.add(row)
    await tx.jobs.track(entry.workspace, job, due_at=None, now=entry.at)


async def root(tx: Transaction, entry: Entry, board: Board) -> NewPost:
    """Return the message that opens a board; one without a living job is closed at once."""
    seats = await tx.watches.of_board(board.id)
    if closed := not any(boards.living(watch) for watch, _ in seats):
        await tx.boards.close(board.id, entry.at)
    message = boards.drawn(board, seats, entry.at, closed=closed)
    about = told.by_board(board, boards.standings(seats))
    return board_root(board, message, entry.ask, entry.at, about)
