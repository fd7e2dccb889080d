"""Event bus of the workspace. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localslack.state.messages import Message
    from localslack.state.views import View


class EventKind(StrEnum):
    """The kinds of workspace event."""

    POSTED = "posted"
    EDITED = "edited"
    REPLIES_CHANGED = "threaded"  # a reply was added or removed: the root's counts changed
    REACTED = "reacted"
    DELETED = "deleted"
    VIEW_CHANGED = "view"
    VIEW_CLOSED = "view_closed"
    CONNECTION_CHANGED = "connected"  # the app connected or disconnected
    API_CALLED = "called"  # the app called the Web API
    ENVELOPE_SETTLED = "delivered"  # an envelope was acknowledged or abandoned


@dataclass(frozen=True, slots=True)
class WorkspaceEvent:
    """One event; its kind determines which fields are set."""

    kind: EventKind
    message: Message | None = None
    before: Message | None = None  # the previous message, for EDITED and DELETED
    view: View | None = None
    connected: bool = False


Listener = Callable[[WorkspaceEvent], None]


class EventBus:
    """The listeners of one workspace."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call the listener for every later event; return a function that unsubscribes it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def publish(self, change: WorkspaceEvent) -> None:
        """Call every listener, in the order of subscription."""
        for listener in tuple(self._listeners):
            listener(change)
