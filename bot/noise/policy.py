"""What one channel wants to hear, as data, and the three ready-made answers. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from bot.models import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

HOUR = timedelta(hours=1)


class FollowUps(StrEnum):
    """Of which changes of a job its thread hears."""

    EVERY = "every"
    OUTCOMES = "outcomes"
    FAILURES = "failures"
    TURNS = "turns"  # the first failure of the jobs of one series, and the first success after


class Tasks(StrEnum):
    """Of the ends of which tasks a thread hears."""

    FAILURES = "failures"
    ALL = "all"
    NONE = "none"


class Broadcast(StrEnum):
    """Which outcomes are shown in the channel as well, beside the thread."""

    NEVER = "never"
    FAILURE = "failure"
    TURNS = "failure_and_recovery"


class Mention(StrEnum):
    """Who is called when a job ends."""

    ASKER = "asker"
    NOBODY = "nobody"
    GROUP = "group"  # a user group, on failure


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("must name a time zone, such as Europe/Berlin") from None
    return name


class QuietHours(Value):
    """A part of each day in which nothing is said; it may reach over midnight."""

    begins: time
    ends: time
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    failures_pass: bool = False  # failures are told all the same

    @model_validator(mode="after")
    def _that_end(self) -> Self:
        """Refuse hours without an end: what they hold back would never be told."""
        if self.begins == self.ends:
            raise ValueError("must end at another time than they begin")
        return self

    def end_after(self, now: datetime) -> datetime | None:
        """Return when the quiet hours that it now is end, aware; None: they are not now."""
        local = now.astimezone(ZoneInfo(self.zone))
        for days in (0, 1):  # days ago that they began
            begun = datetime.combine(local.date() - timedelta(days), self.begins, local.tzinfo)
            over_midnight = timedelta(self.ends <= self.begins)
            end = datetime.combine(begun.date() + over_midnight, self.ends, local.tzinfo)
            if begun <= local < end:
                return end
        return None


GROUP_ID = r"^(S[A-Z0-9]{2,20})?$"


class NoisePolicy(Value):
    """What one channel wants to hear. The defaults are those of a channel that chose nothing."""

    follow_ups: FollowUps = FollowUps.EVERY
    tasks: Tasks = Tasks.FAILURES
    broadcast: Broadcast = Broadcast.FAILURE
    mention: Mention = Mention.ASKER
    group: Annotated[str, Field(pattern=GROUP_ID)] = ""  # Slack's id of the user group to call
    quiet_hours: QuietHours | None = None
    posts_per_hour: Annotated[int, Field(ge=1, le=1000)] | None = None  # follow-ups; None: any
    board: bool = False  # several jobs asked for at once, or within a minute, share a message
    reaction: bool = False  # the asker's message gets a reaction instead of follow-ups

    @property
    def looks_back(self) -> bool:
        """Whether a decision depends on how the last job of that name ended."""
        return self.follow_ups is FollowUps.TURNS or self.broadcast is Broadcast.TURNS


PRESETS: Mapping[str, NoisePolicy] = {
    "quiet": NoisePolicy(
        follow_ups=FollowUps.OUTCOMES,
        tasks=Tasks.NONE,
        broadcast=Broadcast.NEVER,
        board=True,
    ),
    "normal": NoisePolicy(),
    "verbose": NoisePolicy(tasks=Tasks.ALL, broadcast=Broadcast.TURNS),
}
