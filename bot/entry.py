"""An entry of the ledger while it is written: the question, what comes of it, who delivers it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from bot.asks import Kind
from bot.boards import boards
from bot.store import NewPost, PostKind

if TYPE_CHECKING:
    from datetime import datetime

    from bot.asks import Ask
    from bot.models import Change
    from bot.parts import Say
    from bot.store import Claim, Post, Question, Transaction


class Sender(Protocol):
    """Who delivers messages, as the ledger sees it."""

    def reserve(self, post: NewPost, now: datetime) -> Claim | None:
        """Return a claim for a message that is about to be written down, if it may be sent now."""
        ...

    def send(self, post: Post) -> None:
        """Send a message that was written down as claimed."""
        ...

    def ring(self) -> None:
        """Look for messages that wait."""
        ...


@dataclass
class Entry:
    """What is being written: the question, the asker's deed, and when; and what comes of it."""

    question: Question
    ask: Ask
    at: datetime
    tx: Transaction
    sender: Sender
    claimed: list[Post] = field(default_factory=list)  # to be sent at once
    due: list[tuple[str, datetime]] = field(default_factory=list)  # connection, the next look
    changes: list[Change] = field(default_factory=list)  # that the threads are told
    rings: bool = False  # whether something is left for the delivery's next tick
    retells: bool = False  # whether what is held may have another time now

    @property
    def workspace(self) -> str:
        """The workspace that the question came from."""
        return self.question.workspace

    def post(self, kind: PostKind, body: dict[str, Any], key: str) -> NewPost:
        """Return a message outside every watch; its key is the question's and its part's."""
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

    async def say(self, said: Say, key: str) -> None:
        """Tell the asker alone; in a direct message everything is for the asker alone."""
        ask = self.ask
        body = {
            **ask.way_back(),
            "message": said.message.model_dump() if said.message else None,
            "replace": said.replace,
            "delete": said.delete,
        }
        kind = PostKind.POST if ask.kind is Kind.DIRECT else PostKind.EPHEMERAL
        await self.add(self.post(kind, body, key))

    async def add(self, post: NewPost) -> None:
        """Write down the first message of a thread, to be sent at once if that may be."""
        claim = self.sender.reserve(post, self.at)
        if claim is None:
            await self.tx.outbox.add([post], self.at)
            self.rings = True
        elif claimed := await self.tx.outbox.add_claimed(post, claim, self.at):
            self.claimed.append(claimed)

    async def replace(self, post: NewPost) -> None:
        """Write a message down in the place of the one with its key."""
        await self.tx.outbox.replace(post, self.at)
        self.rings = True

    async def redraw_board(self, board_id: str) -> None:
        """Draw a board anew, with what was written down since."""
        await boards.redraw(self.tx, board_id, self.at, urgent=True)
        self.rings = True
