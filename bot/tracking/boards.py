"""Redraws and closes boards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.delivery import message_metadata
from bot.delivery.messages import board_update, keys_of_board, thread_of_board
from bot.sdk.models import Job, Status
from bot.store import WatchState
from bot.tracking import board_card
from bot.tracking.board_card import BoardView, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from bot.sdk.models import JobRef, Message
    from bot.store import Board, Transaction, Watch, WatchedJob

Seat = tuple["Watch", "WatchedJob"]  # a watch of a board and its stored job

LOST = "job not found"  # end reason of a watch


@dataclass
class Redrawing:
    """The boards that changed in one transaction; each is redrawn once, at its end."""

    now: datetime
    boards: dict[str, bool] = field(default_factory=dict)  # id → whether a job ended

    def note(self, board_id: str, *, urgent: bool = False) -> None:
        """Mark a board as changed."""
        self.boards[board_id] = self.boards.get(board_id, False) or urgent

    def note_all(self, watches: Iterable[Watch]) -> None:
        """Mark the boards of these watches as changed."""
        for watch in watches:
            if watch.board_id:
                self.note(watch.board_id)

    async def finish(self, tx: Transaction) -> None:
        """Enqueue the updates of all changed boards."""
        for board_id, urgent in sorted(self.boards.items()):  # one lock order, against deadlocks
            await redraw(tx, board_id, self.now, urgent=urgent)


async def redraw(
    tx: Transaction,
    board_id: str,
    now: datetime,
    *,
    urgent: bool = False,
    again: bool = False,
) -> None:
    """Enqueue an update of a board; close the board if all its watches have ended.

    `again`: the requester was already notified that the board could not be updated.
    """
    # Without the lock, two last jobs could each see the other as followed.
    board = await tx.boards.lock(board_id)
    if board is None:
        return
    watch_rows = await tx.watches.of_board(board_id)
    if closed := not any(living(watch) for watch, _ in watch_rows):
        await tx.boards.close(board_id, now)
    thread = board.workspace, thread_of_board(board)
    pending = await tx.boards.unsaid(*thread) | await tx.boards.silent(*thread)
    last_body = await tx.boards.body(board.workspace, keys_of_board(board)) if pending else {}
    # While thread replies are pending, the metadata keeps the states that the thread has seen.
    metadata = message_metadata.by_board(
        board, standings(watch_rows), message_metadata.rows_of(last_body.get("about"), pending)
    )
    message = drawn(board, watch_rows, now, closed=closed)
    update = board_update(board, message, now, metadata, urgent=urgent or closed)
    update.body.update({"again": True} if again else {})
    await tx.outbox.replace(update, now)


async def stop(tx: Transaction, board_id: str, now: datetime, why: str) -> int:
    """End all watches of a board; return how many."""
    watches = [watch for watch, _ in await tx.watches.of_board(board_id) if living(watch)]
    await tx.watches.end([watch.id for watch in watches], now=now, reason=why)
    for watch in watches:
        await tx.parked.drop(await tx.parked.messages(watch), now)
        await tx.jobs.settle(watch.workspace, [watch.ref])
    return len(watches)


async def settle(tx: Transaction, watch: Watch, now: datetime) -> None:
    """Close the board of an ended watch if all watches of the board have ended."""
    if watch.board_id is None or await tx.boards.lock(watch.board_id) is None:
        return
    if not any(living(other) for other, _ in await tx.watches.of_board(watch.board_id)):
        await tx.boards.close(watch.board_id, now)


def drawn(
    board: Board, watch_rows: Sequence[Seat], now: datetime, *, closed: bool = False
) -> Message:
    """Render a board as a message."""
    return board_card.board(rows(watch_rows), view(board, now, closed=closed))


def view(board: Board, now: datetime, *, closed: bool = False) -> BoardView:
    """Return what a board shows besides its rows."""
    return BoardView(id=board.id, checked_at=now, closed=closed)


def rows(watch_rows: Sequence[Seat]) -> list[Row]:
    """Return the rows of a board."""
    return [
        Row(
            id=watch.id,
            job=watched.seen or _placeholder_job(watched.ref),
            followed=living(watch),
            lost=watch.reason == LOST,
            trouble=watched.trouble,
        )
        for watch, watched in watch_rows
    ]


def standings(watch_rows: Sequence[Seat]) -> list[message_metadata.Standing]:
    """Return the row state of each watch of a board."""
    return [
        message_metadata.Standing(watch, watched.seen, watched.revision, over=not living(watch))
        for watch, watched in watch_rows
    ]


def living(watch: Watch) -> bool:
    """Whether a watch has not ended: it is active or unreachable."""
    return watch.state is not WatchState.ENDED


def _placeholder_job(ref: JobRef) -> Job:
    return Job(ref=ref, name=ref.id, status=Status.UNKNOWN)
