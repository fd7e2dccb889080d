"""Redraws and closes boards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.delivery import message_metadata
from bot.delivery.messages import board_idempotency_keys, board_ordering_key, board_update
from bot.sdk.models import Job, Status
from bot.store import BoardKind, WatchState
from bot.tracking import board_card
from bot.tracking.board_card import BoardContext, BoardRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.sdk.models import JobRef, Message
    from bot.store import Board, NewMessage, OutboxMessage, Transaction, Watch, WatchedJob

WatchRow = tuple["Watch", "WatchedJob"]  # a watch of a board and its stored job

JOB_NOT_FOUND = "job not found"  # end reason of a watch


@dataclass(frozen=True)
class BoardRedraw:
    """A board that is to be redrawn from its stored rows."""

    board_id: str
    urgent: bool = False
    already_reported: bool = False  # the requester knows that the board could not be updated


@dataclass
class PendingUpdates:
    """Updates of one transaction: a card's is enqueued at once, each board's once at the end."""

    tx: Transaction
    now: datetime
    boards: dict[str, bool] = field(default_factory=dict)  # id → whether a job ended

    async def add(self, update: NewMessage | BoardRedraw | None) -> None:
        """Enqueue the update of a card; mark a board as changed."""
        if isinstance(update, BoardRedraw):
            urgent = self.boards.get(update.board_id, False) or update.urgent
            self.boards[update.board_id] = urgent
        elif update is not None:
            await self.tx.outbox.replace(update, self.now)

    async def redraw_boards(self) -> None:
        """Enqueue the updates of all changed boards."""
        for board_id, urgent in sorted(self.boards.items()):  # one lock order, against deadlocks
            await redraw(self.tx, BoardRedraw(board_id, urgent=urgent), self.now)


async def redraw(tx: Transaction, change: BoardRedraw, now: datetime) -> None:
    """Enqueue an update of a board; close the board if all its watches have ended."""
    # Without the lock, two last jobs could each see the other as followed.
    board = await tx.boards.lock(change.board_id)
    if board is None:
        return
    watch_rows = await tx.watches.of_board(board.id)
    if closed := not any(is_open(watch) for watch, _ in watch_rows):
        await tx.boards.close(board.id, now)
    metadata = await _metadata(tx, board, watch_rows)
    message = render(board, watch_rows, now, closed=closed)
    update = board_update(board, message, now, metadata, urgent=change.urgent or closed)
    update.body.update({"again": True} if change.already_reported else {})
    await tx.outbox.replace(update, now)


async def _metadata(
    tx: Transaction, board: Board, watch_rows: Sequence[WatchRow]
) -> message_metadata.Metadata:
    """Return a board's metadata; while replies are pending, it keeps what their thread has seen."""
    thread = board.workspace, board_ordering_key(board)
    pending = await tx.boards.watches_with_pending(
        *thread
    ) | await tx.boards.watches_with_dead_letters(*thread)
    last_body = (
        await tx.boards.latest_body(board.workspace, board_idempotency_keys(board))
        if pending
        else {}
    )
    kept = message_metadata.select_rows(last_body.get("about"), pending)
    return message_metadata.for_board(board, row_states(watch_rows), kept)


async def lock_board_of(
    tx: Transaction, message: OutboxMessage, watch: Watch | None
) -> Board | None:
    """Return the locked board of a message; its card may have become a board meanwhile.

    The lock makes concurrent rejections of one board send one notice.
    """
    board_id = (watch.board_id if watch else None) or message.board_id
    board = await tx.boards.lock(board_id) if board_id else None
    return board if board and board.kind is BoardKind.BOARD else None


async def unfollow_all(tx: Transaction, board_id: str, now: datetime, why: str) -> int:
    """End all watches of a board; return how many."""
    watches = [watch for watch, _ in await tx.watches.of_board(board_id) if is_open(watch)]
    await tx.watches.end([watch.id for watch in watches], now=now, reason=why)
    for watch in watches:
        await tx.dead_letters.drop(await tx.dead_letters.messages(watch), now)
        await tx.jobs.sleep_unwatched(watch.workspace, [watch.ref])
    return len(watches)


async def close_if_idle(tx: Transaction, watch: Watch, now: datetime) -> None:
    """Close the board of an ended watch if all watches of the board have ended."""
    if watch.board_id is None or await tx.boards.lock(watch.board_id) is None:
        return
    if not any(is_open(other) for other, _ in await tx.watches.of_board(watch.board_id)):
        await tx.boards.close(watch.board_id, now)


def render(
    board: Board, watch_rows: Sequence[WatchRow], now: datetime, *, closed: bool = False
) -> Message:
    """Render a board as a message."""
    return board_card.render_board(card_rows(watch_rows), board_context(board, now, closed=closed))


def board_context(board: Board, now: datetime, *, closed: bool = False) -> BoardContext:
    """Return what a board shows besides its rows."""
    return BoardContext(id=board.id, checked_at=now, closed=closed)


def card_rows(watch_rows: Sequence[WatchRow]) -> list[BoardRow]:
    """Return the rows of a board."""
    return [
        BoardRow(
            id=watch.id,
            job=watched.snapshot or _placeholder_job(watched.ref),
            followed=is_open(watch),
            missing=watch.reason == JOB_NOT_FOUND,
            trouble=watched.error,
        )
        for watch, watched in watch_rows
    ]


def row_states(watch_rows: Sequence[WatchRow]) -> list[message_metadata.BoardRowState]:
    """Return the row state of each watch of a board."""
    return [
        message_metadata.BoardRowState(
            watch, watched.snapshot, watched.revision, ended=not is_open(watch)
        )
        for watch, watched in watch_rows
    ]


def is_open(watch: Watch) -> bool:
    """Whether a watch has not ended: it is active or unreachable."""
    return watch.state is not WatchState.ENDED


def _placeholder_job(ref: JobRef) -> Job:
    return Job(ref=ref, name=ref.id, status=Status.UNKNOWN)
