"""Boards in the store: drawn anew when a job of theirs changes, closed when nobody follows one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot import told
from bot.cards import boardcards
from bot.cards.boardcards import BoardView, Row
from bot.models import Job, Status
from bot.posts import board_update, keys_of_board, thread_of_board
from bot.store import WatchState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from bot.models import JobRef, Message
    from bot.store import Board, Transaction, Watch, WatchedJob

Seat = tuple["Watch", "WatchedJob"]  # a watch of a board, and its job

LOST = "job not found"  # why a watch ended


@dataclass
class Redrawing:
    """The boards whose jobs moved in one transaction: each is drawn anew once, at its end."""

    now: datetime
    boards: dict[str, bool] = field(default_factory=dict)  # id → whether a job ended

    def note(self, board_id: str, *, urgent: bool = False) -> None:
        """Note that a board shows something else now."""
        self.boards[board_id] = self.boards.get(board_id, False) or urgent

    def note_all(self, watches: Iterable[Watch]) -> None:
        """Note that the boards of these watches, as far as they have one, show something else."""
        for watch in watches:
            if watch.board_id:
                self.note(watch.board_id)

    async def finish(self, tx: Transaction) -> None:
        """Draw the boards anew, with all that was written down since."""
        for board_id, urgent in sorted(self.boards.items()):  # one order, or two wait for ever
            await redraw(tx, board_id, self.now, urgent=urgent)


async def redraw(
    tx: Transaction,
    board_id: str,
    now: datetime,
    *,
    urgent: bool = False,
    again: bool = False,
) -> None:
    """Draw a board as its jobs stand; the last drawing of one that nobody follows closes it.

    `again`: the asker knows already that the board could not be drawn.
    """
    board = await tx.boards.lock(board_id)  # or two last jobs would each see the other living
    if board is None:
        return
    seats = await tx.watches.of_board(board_id)
    if closed := not any(living(watch) for watch, _ in seats):
        await tx.boards.close(board_id, now)
    thread = board.workspace, thread_of_board(board)
    unsaid = await tx.boards.unsaid(*thread) | await tx.boards.silent(*thread)
    last = await tx.boards.body(board.workspace, keys_of_board(board)) if unsaid else {}
    # What the threads know while follow-ups are on their way: what the board carried before.
    about = told.by_board(board, standings(seats), told.rows_of(last.get("about"), unsaid))
    message = drawn(board, seats, now, closed=closed)
    update = board_update(board, message, now, about, urgent=urgent or closed)
    update.body.update({"again": True} if again else {})
    await tx.outbox.replace(update, now)


async def stop(tx: Transaction, board_id: str, now: datetime, why: str) -> int:
    """End the following of all jobs on a board; return of how many."""
    watches = [watch for watch, _ in await tx.watches.of_board(board_id) if living(watch)]
    await tx.watches.end([watch.id for watch in watches], now=now, reason=why)
    for watch in watches:
        await tx.parked.drop(await tx.parked.messages(watch), now)
        await tx.jobs.settle(watch.workspace, [watch.ref])
    return len(watches)


async def settle(tx: Transaction, watch: Watch, now: datetime) -> None:
    """Close the board of a watch that ended, if nobody follows a job there any more."""
    if watch.board_id is None or await tx.boards.lock(watch.board_id) is None:
        return
    if not any(living(other) for other, _ in await tx.watches.of_board(watch.board_id)):
        await tx.boards.close(watch.board_id, now)


def drawn(board: Board, seats: Sequence[Seat], now: datetime, *, closed: bool = False) -> Message:
    """Return a board as a message."""
    return boardcards.board(rows(seats), view(board, now, closed=closed))


def view(board: Board, now: datetime, *, closed: bool = False) -> BoardView:
    """Return what surrounds the rows of a board."""
    return BoardView(id=board.id, checked_at=now, closed=closed)


def rows(seats: Sequence[Seat]) -> list[Row]:
    """Return the jobs of a board as its rows."""
    return [
        Row(
            id=watch.id,
            job=watched.seen or _unseen(watched.ref),
            followed=living(watch),
            lost=watch.reason == LOST,
            trouble=watched.trouble,
        )
        for watch, watched in seats
    ]


def standings(seats: Sequence[Seat]) -> list[told.Standing]:
    """Return how each watch of a board stands."""
    return [
        told.Standing(watch, watched.seen, watched.revision, over=not living(watch))
        for watch, watched in seats
    ]


def living(watch: Watch) -> bool:
    """Whether a watch goes on, or may go on again."""
    return watch.state is not WatchState.ENDED


def _unseen(ref: JobRef) -> Job:
    return Job(ref=ref, name=ref.id, status=Status.UNKNOWN)
