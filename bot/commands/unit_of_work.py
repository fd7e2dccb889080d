"""Unit of work: the transaction and the side effects to run after its commit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from bot.commands.request import RequestKind
from bot.store import MessageKind, NewMessage
from bot.tracking.boards import BoardRedraw
from bot.tracking.presentation import write_update

if TYPE_CHECKING:
    from datetime import datetime

    from bot.commands.actions import Reply
    from bot.commands.request import Request
    from bot.sdk.models import Change
    from bot.store import Claim, InboxItem, OutboxMessage, Transaction
    from bot.tracking.presentation import Update


class OutboxSender(Protocol):
    """The outbox dispatcher, as far as a unit of work needs it."""

    def reserve(self, post: NewMessage, now: datetime) -> Claim | None:
        """Return a claim for a new message if the rate limits let it go now; else None."""
        ...

    def send(self, post: OutboxMessage) -> None:
        """Send a message that was stored as claimed."""
        ...

    def wake(self) -> None:
        """Wake the dispatcher: there are due messages."""
        ...


@dataclass
class UnitOfWork:
    """One transaction: the inbox item, its request, the time, and the pending side effects."""

    item: InboxItem
    request: Request
    now: datetime
    tx: Transaction
    sender: OutboxSender
    claimed: list[OutboxMessage] = field(default_factory=list)  # to send right after the commit
    next_polls: list[tuple[str, datetime]] = field(
        default_factory=list
    )  # connection, its next poll
    changes: list[Change] = field(default_factory=list)  # job changes, for the plugins
    wakes_dispatcher: bool = False  # whether the dispatcher must wake up
    wakes_digests: bool = False  # whether due times of deferred notifications may have changed

    @property
    def workspace(self) -> str:
        """The workspace of the request."""
        return self.item.workspace

    def new_message(self, kind: MessageKind, body: dict[str, Any], key: str) -> NewMessage:
        """Return a message that belongs to no watch.

        Its idempotency key is the item's key and the action's.
        """
        name = f"{self.item.idempotency_key}:{key}"
        return NewMessage(
            idempotency_key=name,
            workspace=self.workspace,
            channel=self.request.channel,
            ordering_key=name,
            kind=kind,
            body=body,
            urgent=True,
            due_at=self.now,
            reason=f"asked for by {self.request.user}",
        )

    async def reply(self, reply: Reply, key: str) -> None:
        """Enqueue an ephemeral reply; in a direct message, an ordinary one."""
        body = {
            **self.request.reply_target().as_body(),
            "message": reply.message.model_dump() if reply.message else None,
            "replace": reply.replace,
            "delete": reply.delete,
        }
        kind = (
            MessageKind.POST if self.request.kind is RequestKind.DIRECT else MessageKind.EPHEMERAL
        )
        await self.enqueue(self.new_message(kind, body, key))

    async def enqueue(self, post: NewMessage) -> None:
        """Enqueue the first message of an ordering key; claim it if it may be sent now."""
        claim = self.sender.reserve(post, self.now)
        if claim is None:
            await self.tx.outbox.add([post], self.now)
            self.wakes_dispatcher = True
        elif claimed := await self.tx.outbox.add_claimed(post, claim, self.now):
            self.claimed.append(claimed)

    async def enqueue_latest(self, post: NewMessage) -> None:
        """Enqueue a message; it replaces a pending one with the same idempotency key."""
        await self.tx.outbox.replace(post, self.now)
        self.wakes_dispatcher = True

    async def write(self, update: Update | None) -> None:
        """Enqueue what shows a job: its first message, or an update that replaces a pending one."""
        if isinstance(update, NewMessage) and update.kind is not MessageKind.UPDATE:
            await self.enqueue(update)
        elif update is not None:
            await write_update(self.tx, update, self.now)
            self.wakes_dispatcher = True

    async def redraw_board(self, board_id: str) -> None:
        """Enqueue an update of a board with the state of this transaction."""
        await self.write(BoardRedraw(board_id, urgent=True))
