"""What becomes of a message that Slack will never take: parked, and the asker is told once."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Any

from bot import answers
from bot.boards import boards
from bot.channels import held
from bot.posts import thread_of_board
from bot.store import BoardKind, NewPost, Post, PostKind, Transaction, Watch, WatchState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.models import Message
    from bot.store import Board

log = logging.getLogger(__name__)

OUTSIDE = frozenset({"not_in_channel", "channel_not_found"})  # the bot is not let in


async def settle(tx: Transaction, post: Post, code: str, now: datetime) -> None:
    """Park a refused message, with what hangs on it, and tell whoever asked."""
    log_id = secrets.token_hex(4)
    log.warning("[%s] Slack refused message %s (%s): %s", log_id, post.id, post.kind, code)
    if await held.refused(tx, post, code, now):
        return
    watch = await tx.watches.get(post.watch_id) if post.watch_id else None
    if board := await _board_of(tx, post, watch):
        await _settle_board(tx, post, board, code, log_id, now)
        return
    known = bool(watch and await tx.parked.messages(watch)) or bool(post.body.get("again"))
    if not await tx.outbox.park(post, error=code, now=now):
        await tx.parked.certain(post, code)
    if watch is None:
        await _unposted(tx, post, code, log_id, now)
    elif post.roots_watch:
        await tx.watches.end([watch.id], now=now, reason=f"never posted: {code}")
        await _end_thread(tx, watch, code, now)
        await _unposted(tx, post, code, log_id, now)
    else:
        await tx.watches.park(watch.id, now=now, reason=code)
        await _end_thread(tx, watch, code, now)
        if not known:
            await _silenced(tx, post, watch, code, now)


async def _board_of(tx: Transaction, post: Post, watch: Watch | None) -> Board | None:
    """Return the board that a message belongs to; a card may have become one meanwhile."""
    board_id = (watch.board_id if watch else None) or post.board_id
    board = await tx.boards.lock(board_id) if board_id else None  # of two refusals, one is told
    return board if board and board.kind is BoardKind.BOARD else None


async def _settle_board(
    tx: Transaction, post: Post, board: Board, code: str, log_id: str, now: datetime
) -> None:
    """Park a refused message of a board: all its watches are set aside with it, or end."""
    seats = await tx.watches.of_board(board.id)
    known = any(watch.state is WatchState.PARKED for watch, _ in seats) or post.body.get("again")
    known = known or bool(await tx.parked.of_board(board.workspace, board.id))
    if not await tx.outbox.park(post, error=code, now=now):
        await tx.parked.certain(post, code)
    await tx.outbox.park_thread(board.workspace, thread_of_board(board), error=code, now=now)
    if post.roots_watch:
        await boards.stop(tx, board.id, now, f"never posted: {code}")
        await tx.boards.close(board.id, now)
        await tx.outbox.park_thread(board.workspace, f"card:{board.id}", error=code, now=now)
        await _unposted(tx, post, code, log_id, now)
        return
    for watch, _ in seats:
        await tx.watches.park(watch.id, now=now, reason=code)
    await tx.jobs.settle(board.workspace, [watch.ref for watch, _ in seats])
    if not known:
        message = answers.parked(_named(seats), board.channel, code)
        direct = _complaint(post, PostKind.DIRECT, message, {"asker": board.asker}, now)
        await tx.outbox.add([direct], now)


def _named(seats: Sequence[boards.Seat]) -> str:
    """Return a board in words: the one job that it has, or how many there are."""
    return str(seats[0][0].ref) if len(seats) == 1 else f"the {len(seats)} jobs of your board"


async def _end_thread(tx: Transaction, watch: Watch, code: str, now: datetime) -> None:
    """Park what else the thread was to be told, and ask for the job no more on its behalf."""
    await tx.outbox.park_thread(watch.workspace, f"watch:{watch.id}", error=code, now=now)
    await tx.jobs.settle(watch.workspace, [watch.ref])


async def _unposted(tx: Transaction, post: Post, code: str, log_id: str, now: datetime) -> None:
    """Tell the asker why the card did not come."""
    if post.kind is not PostKind.POST or not post.body.get("asker"):
        return
    outside = code in OUTSIDE
    message = answers.not_in_channel() if outside else answers.refused(code, log_id)
    body = {key: post.body.get(key) for key in ("asker", "thread_ts", "response_url", "until")}
    await tx.outbox.add([_complaint(post, PostKind.EPHEMERAL, message, body, now)], now)


async def _silenced(tx: Transaction, post: Post, watch: Watch, code: str, now: datetime) -> None:
    """A thread can be told nothing more: its asker hears of it once."""
    message = answers.parked(str(watch.ref), watch.channel, code)
    direct = _complaint(post, PostKind.DIRECT, message, {"asker": watch.asker}, now)
    await tx.outbox.add([direct], now)


def _complaint(
    post: Post, kind: PostKind, message: Message, body: dict[str, Any], now: datetime
) -> NewPost:
    key = f"{post.key}:{post.version}:refused"
    return NewPost(
        key=key,
        workspace=post.workspace,
        channel=post.channel,
        thread=key,
        kind=kind,
        body={"message": message.model_dump(), **body},
        urgent=True,
        due_at=now,
        reason="Slack refused a message",
    )
