"""Trigger ids: the three seconds in which an app may open a modal for somebody. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.playground.refusals import RefusedError

if TYPE_CHECKING:
    from datetime import datetime

    from bot.clock import Clock

# https://docs.slack.dev/interactivity/handling-user-interaction
LIFETIME = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Trigger:
    """Who did something, when, and in which modal if in one."""

    user: str
    issued_at: datetime  # aware, UTC
    view_id: str | None = None


class Triggers:
    """Every trigger id that was given out."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._issued: dict[str, Trigger] = {}
        self._used: set[str] = set()

    def issue(self, user: str, view_id: str | None = None) -> str:
        """Return a new trigger id for what this person just did."""
        number = len(self._issued) + 1
        name = f"{number}.{number:010d}.{number * 7919:032x}"
        self._issued[name] = Trigger(user, self._clock.now(), view_id)
        return name

    def exchange(self, name: str) -> Trigger:
        """Return what the id stands for; it works once, within three seconds."""
        trigger = self._issued.get(name)
        if trigger is None:
            raise RefusedError("invalid_trigger_id")
        if name in self._used:
            raise RefusedError("exchanged_trigger_id")
        if self._clock.now() - trigger.issued_at > LIFETIME:
            raise RefusedError("expired_trigger_id")
        self._used.add(name)
        return trigger
