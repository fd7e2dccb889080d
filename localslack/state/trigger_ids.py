"""Trigger ids: an app may open a modal within three seconds of a user action. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from localslack.state.errors import SlackApiError

if TYPE_CHECKING:
    from datetime import datetime

    from localslack.state.clock import Clock

# https://docs.slack.dev/interactivity/handling-user-interaction
LIFETIME = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Trigger:
    """A user action: who, when, and in which view if any."""

    user: str
    issued_at: datetime  # aware, UTC
    view_id: str | None = None


class TriggerIds:
    """Every trigger id that was issued."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._issued: dict[str, Trigger] = {}
        self._used: set[str] = set()

    def issue(self, user: str, view_id: str | None = None) -> str:
        """Return a new trigger id for an action of this user."""
        number = len(self._issued) + 1
        name = f"{number}.{number:010d}.{number * 7919:032x}"
        self._issued[name] = Trigger(user, self._clock.now(), view_id)
        return name

    def exchange(self, name: str) -> Trigger:
        """Return the action of the id, once, within three seconds. Raise SlackApiError."""
        trigger = self._issued.get(name)
        if trigger is None:
            raise SlackApiError("invalid_trigger_id")
        if name in self._used:
            raise SlackApiError("exchanged_trigger_id")
        if self._clock.now() - trigger.issued_at > LIFETIME:
            raise SlackApiError("expired_trigger_id")
        self._used.add(name)
        return trigger
