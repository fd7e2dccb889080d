"""What just became different in the workspace, and who wants to know. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.playground.messages import Message
    from bot.playground.views import View


class Kind(StrEnum):
    """The kinds of change."""

    POSTED = "posted"
    EDITED = "edited"
    THREADED = "threaded"  # a reply came or went, so the root's counts changed
    REACTED = "reacted"
    DELETED = "deleted"
    VIEW = "view"
    VIEW_CLOSED = "view_closed"
    CONNECTED = "connected"  # the app came or went
    CALLED = "called"  # the app called the Web API
    DELIVERED = "delivered"  # an envelope was acknowledged, or given up


@dataclass(frozen=True, slots=True)
class Change:
    """One change; which fields are set follows from the kind."""

    kind: Kind
    message: Message | None = None
    before: Message | None = None  # the message as it was, for EDITED and DELETED
    view: View | None = None
    connected: bool = False


Listener = Callable[[Change], None]


class Changes:
    """Everybody who listens to one workspace."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call the listener for every change from now on; return how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tell(self, change: Change) -> None:
        """Tell everybody, in the order in which they came."""
        for listener in tuple(self._listeners):
            listener(change)
