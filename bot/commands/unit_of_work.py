"""Unit of work: the transaction and the side effects to run after its commit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from bot.commands.request import Kind
from bot.store import NewPost, PostKind
from bot.tracking import boards

if TYPE_CHECKING:
    from datetime import datetime

    from bot.commands.actions import Say
    from bot.commands.request import Ask
    from bot.sdk.models import Change
    from bot.store import Claim, Post, Question, Transaction


class Sender(Protocol):
    """The outbox dispatcher, as far as a unit of work needs it."""

    def reserve(self, post: NewPost, now: datetime) -> Claim | None:
        """Return a claim for a new message if the rate limits let it go now; else None."""
        ...

    def send(self, post: Post) -> None:
        """Send a message that was stored as claimed."""
        ...

    def ring(self) -> None:
        """Wake the dispatcher: there are due messages."""
        ...


@dataclass
class Entry:
    """One transaction: the inbox item, its request, the time, and the pending side effects."""

    question: Question
    ask: Ask
    at: datetime
    tx: Transaction
    sender: Sender
    claimed: list[Post] = field(default_factory=list)  # to send right after the commit
    due: list[tuple[str, datetime]] = field(default_factory=list)  # connection, its next poll
    changes: list[Change] = field(default_factory=list)  # job changes, for the plugins
    rings: bool = False  # whether the dispatcher must wake up
    retells: bool = False  # whether due times of deferred notifications may have changed

    @property
    def workspace(self) -> str:
        """The workspace of the request."""
        return self.question.workspace

    def post(self, kind: PostKind, body: dict[str, Any], key: str) -> NewPost:
        """Return a message that belongs to no watch.

        Its idempotency key is the item's key and the action's.
        """
        name = f"{self.question.key}:{key}"
        return NewPost(
            key=name,
            workspace=self.workspace,
            channel=self.ask.channel,
            thread=name,
            kind=kind,
            body=body,
            urgent=True,
            due_at=self.at,
            reason=f"asked for by {self.ask.user}",
        )

    async def say(self, reply: Say, key: str) -> None:
        """Enqueue an ephemeral reply; in a direct message, an ordinary one."""
        body = {
            **self.ask.way_back(),
            "message": reply.message.model_dump() if reply.message else None,
            "replace": reply.replace,
            "delete": reply.delete,
        }
        kind = PostKind.POST if self.ask.kind is Kind.DIRECT else PostKind.EPHEMERAL
        await self.add(self.post(kind, body, key))

    async def add(self, post: NewPost) -> None:
        """Enqueue the first message of an ordering key; claim it if it may be sent now."""
        claim = self.sender.reserve(post, self.at)
        if claim is None:
            await self.tx.outbox.add([post], self.at)
            self.rings = True
        elif claimed := await self.tx.outbox.add_claimed(post, claim, self.at):
            self.claimed.append(claimed)

    async def replace(self, post: NewPost) -> None:
        """Enqueue a message; it replaces a pending one with the same idempotency key."""
        await self.tx.outbox.replace(post, self.at)
        self.rings = True

    async def redraw_board(self, board_id: str) -> None:
        """Enqueue an update of a board with the state of this transaction."""
        await boards.redraw(self.tx, board_id, self.at, urgent=True)
        self.rings = True
