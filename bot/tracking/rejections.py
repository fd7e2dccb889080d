"""Handles messages that Slack rejects for good: dead letters, and one notice to the asker."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Any

from bot.delivery.messages import board_ordering_key
from bot.notifications import deferred
from bot.store import (
    MessageKind,
    NewMessage,
    OutboxMessage,
    ReplyTarget,
    Transaction,
    Watch,
    WatchState,
)
from bot.tracking import boards, texts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.sdk.models import Message
    from bot.store import Board

log = logging.getLogger(__name__)

NO_ACCESS_ERRORS = frozenset({"not_in_channel", "channel_not_found"})


async def handle_rejection(tx: Transaction, post: OutboxMessage, code: str, now: datetime) -> None:
    """Move a rejected message and its dependents to the dead letters; notify the asker once."""
    log_id = secrets.token_hex(4)
    log.warning("[%s] Slack rejected message %s (%s): %s", log_id, post.id, post.kind, code)
    if await deferred.on_digest_rejected(tx, post, code, now):
        return
    watch = await tx.watches.get(post.watch_id) if post.watch_id else None
    if board := await boards.lock_board_of(tx, post, watch):
        await _handle_board_rejection(tx, post, board, code, log_id, now)
        return
    notified = bool(watch and await tx.dead_letters.messages(watch)) or bool(post.body.get("again"))
    if not await tx.outbox.dead_letter(post, error=code, now=now):
        await tx.dead_letters.confirm_unsent(post, code)
    if watch is None:
        await _notify_card_failed(tx, post, code, log_id, now)
    elif post.creates_card:
        await tx.watches.end([watch.id], now=now, reason=f"never posted: {code}")
        await _dead_letter_thread(tx, watch, code, now)
        await _notify_card_failed(tx, post, code, log_id, now)
    else:
        await tx.watches.mark_unreachable(watch.id, now=now, reason=code)
        await _dead_letter_thread(tx, watch, code, now)
        if not notified:
            await _notify_thread_unreachable(tx, post, watch, code, now)


async def _handle_board_rejection(
    tx: Transaction, post: OutboxMessage, board: Board, code: str, log_id: str, now: datetime
) -> None:
    """Make all watches of a rejected board unreachable, or end them if it was never posted."""
    rows = await tx.watches.of_board(board.id)
    notified = any(watch.state is WatchState.UNREACHABLE for watch, _ in rows) or post.body.get(
        "again"
    )
    notified = notified or bool(await tx.dead_letters.count_of_board(board.workspace, board.id))
    if not await tx.outbox.dead_letter(post, error=code, now=now):
        await tx.dead_letters.confirm_unsent(post, code)
    await tx.outbox.dead_letter_thread(
        board.workspace, board_ordering_key(board), error=code, now=now
    )
    if post.creates_card:
        await boards.unfollow_all(tx, board.id, now, f"never posted: {code}")
        await tx.boards.close(board.id, now)
        await tx.outbox.dead_letter_thread(board.workspace, f"card:{board.id}", error=code, now=now)
        await _notify_card_failed(tx, post, code, log_id, now)
        return
    for watch, _ in rows:
        await tx.watches.mark_unreachable(watch.id, now=now, reason=code)
    await tx.jobs.sleep_unwatched(board.workspace, [watch.ref for watch, _ in rows])
    if not notified:
        message = texts.thread_unreachable(_describe_jobs(rows), board.channel, code)
        direct = _requester_notice(post, MessageKind.DIRECT, message, {"asker": board.asker}, now)
        await tx.outbox.add([direct], now)


def _describe_jobs(rows: Sequence[boards.WatchRow]) -> str:
    """Return the board's only job, or the number of its jobs, as text."""
    return str(rows[0][0].ref) if len(rows) == 1 else f"the {len(rows)} jobs of your board"


async def _dead_letter_thread(tx: Transaction, watch: Watch, code: str, now: datetime) -> None:
    """Move the thread's other messages to the dead letters; stop polling an unwatched job."""
    await tx.outbox.dead_letter_thread(watch.workspace, f"watch:{watch.id}", error=code, now=now)
    await tx.jobs.sleep_unwatched(watch.workspace, [watch.ref])


async def _notify_card_failed(
    tx: Transaction, post: OutboxMessage, code: str, log_id: str, now: datetime
) -> None:
    """Tell the asker why the card was not posted."""
    if post.kind is not MessageKind.POST or not post.body.get("asker"):
        return
    message = (
        texts.not_in_channel() if code in NO_ACCESS_ERRORS else texts.card_rejected(code, log_id)
    )
    body = ReplyTarget.of_body(post.body).as_body()
    await tx.outbox.add([_requester_notice(post, MessageKind.EPHEMERAL, message, body, now)], now)


async def _notify_thread_unreachable(
    tx: Transaction, post: OutboxMessage, watch: Watch, code: str, now: datetime
) -> None:
    """Tell the asker by direct message that the thread cannot be posted to."""
    message = texts.thread_unreachable(str(watch.ref), watch.channel, code)
    direct = _requester_notice(post, MessageKind.DIRECT, message, {"asker": watch.asker}, now)
    await tx.outbox.add([direct], now)


def _requester_notice(
    post: OutboxMessage, kind: MessageKind, message: Message, body: dict[str, Any], now: datetime
) -> NewMessage:
    key = f"{post.idempotency_key}:{post.version}:refused"
    return NewMessage(
        idempotency_key=key,
        workspace=post.workspace,
        channel=post.channel,
        ordering_key=key,
        kind=kind,
        body={"message": message.model_dump(), **body},
        urgent=True,
        due_at=now,
        reason="Slack refused a message",
    )
