"""An entry of the ledger while it is written: the question, what comes of it, who delivers it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from bot.store import NewPost, PostKind

if TYPE_CHECKING:
    from datetime import datetime

    from bot.asks import Ask
    from bot.models import Change
    from bot.store import Claim, Post, Question


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
