"""Builds outbox messages for cards, replies, reactions, boards. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.store import MessageKind, NewMessage, Watch

if TYPE_CHECKING:
    from datetime import datetime

    from bot.delivery.message_metadata import Metadata
    from bot.sdk.models import Message
    from bot.store import Board, DecisionRecord, ReplyTarget


def ordering_key(watch: Watch) -> str:
    """Return the ordering key of a watch's messages; watches of one board share a key."""
    return f"watch:{watch.board_id or watch.id}"


def card_post(
    watch: Watch, message: Message, target: ReplyTarget, now: datetime, metadata: Metadata
) -> NewMessage:
    """Return the post of a watch's card. If Slack rejects it, the requester is notified."""
    return NewMessage(
        idempotency_key=f"{watch.id}:root",
        workspace=watch.workspace,
        channel=watch.channel,
        ordering_key=ordering_key(watch),
        kind=MessageKind.POST,
        body={"message": message.model_dump(), "about": metadata, **target.as_body()},
        watch_id=watch.id,
        creates_card=True,
        due_at=now,
        reason=f"asked for by {target.user}",
    )


def card_update(
    watch: Watch, message: Message, now: datetime, metadata: Metadata, *, urgent: bool = False
) -> NewMessage:
    """Return the update of a watch's card; a newer one replaces it while it is pending."""
    return NewMessage(
        idempotency_key=f"{watch.id}:card",
        workspace=watch.workspace,
        channel=watch.channel,
        ordering_key=f"card:{watch.id}",
        kind=MessageKind.UPDATE,
        body={"message": message.model_dump(), "about": metadata},
        watch_id=watch.id,
        urgent=urgent,
        due_at=now,
        reason="the job looks different",
    )


def board_ordering_key(board: Board) -> str:
    """Return the ordering key of a board's messages."""
    return f"watch:{board.id}"


def board_idempotency_keys(board: Board) -> tuple[str, str]:
    """Return the idempotency keys of a board's post and of its updates."""
    return f"{board.id}:root", f"{board.id}:card"


def board_post(
    board: Board, message: Message, target: ReplyTarget, now: datetime, metadata: Metadata
) -> NewMessage:
    """Return the post of a board. If Slack rejects it, the requester is notified."""
    return NewMessage(
        idempotency_key=board_idempotency_keys(board)[0],
        workspace=board.workspace,
        channel=board.channel,
        ordering_key=board_ordering_key(board),
        kind=MessageKind.POST,
        body={"message": message.model_dump(), "about": metadata, **target.as_body()},
        board_id=board.id,
        creates_card=True,
        due_at=now,
        reason=f"asked for by {target.user}",
    )


def board_update(
    board: Board, message: Message, now: datetime, metadata: Metadata, *, urgent: bool = False
) -> NewMessage:
    """Return the update of a board; a newer one replaces it while it is pending.

    A board made from a card has the card's id, so it also replaces the card's pending updates.
    """
    return NewMessage(
        idempotency_key=board_idempotency_keys(board)[1],
        workspace=board.workspace,
        channel=board.channel,
        ordering_key=f"card:{board.id}",
        kind=MessageKind.UPDATE,
        body={"message": message.model_dump(), "about": metadata},
        board_id=board.id,
        urgent=urgent,
        due_at=now,
        reason="a job looks different",
    )


def thread_reply(
    watch: Watch,
    key_suffix: str,
    message: Message,
    now: datetime,
    *,
    reason: str,
    metadata: Metadata | None = None,
    broadcast: bool = False,
    urgent: bool = False,
) -> NewMessage:
    """Return a reply in a watch's thread; `broadcast` also shows it in the channel."""
    return NewMessage(
        idempotency_key=f"{watch.id}:{key_suffix}",
        workspace=watch.workspace,
        channel=watch.channel,
        ordering_key=ordering_key(watch),
        kind=MessageKind.POST,
        body={
            "message": message.model_dump(),
            "broadcast": broadcast,
            "asker": watch.asker,
            "about": metadata or {},
        },
        watch_id=watch.id,
        urgent=urgent,
        due_at=now,
        reason=reason,
    )


def reaction(
    watch: Watch, key_suffix: str, names: list[str], now: datetime, *, reason: str
) -> NewMessage:
    """Return the reactions that the request's message shall have; they replace the others."""
    return NewMessage(
        idempotency_key=f"{watch.id}:{key_suffix}",
        workspace=watch.workspace,
        channel=watch.channel,
        ordering_key=f"reaction:{watch.id}",
        kind=MessageKind.REACTION,
        body={"ts": watch.request_ts, "names": names},
        watch_id=watch.id,
        due_at=now,
        reason=reason,
    )


def deferred_reply(
    record: DecisionRecord, thread: str, now: datetime, *, broadcast: bool, reason: str
) -> NewMessage:
    """Return the message that releases a deferred reply."""
    return NewMessage(
        idempotency_key=record.idempotency_key,
        workspace=record.workspace,
        channel=record.channel,
        ordering_key=thread,
        kind=MessageKind.POST,
        body={**(record.body or {}), "broadcast": broadcast},
        watch_id=record.watch_id,
        due_at=now,
        reason=reason,
    )
