"""Notification policy of a channel, and the presets. No I/O."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator

from bot.sdk.models import Value
from bot.sdk.settings import error_sentences

if TYPE_CHECKING:
    from collections.abc import Mapping

HOUR = timedelta(hours=1)


class FollowUps(StrEnum):
    """The events of a job that are posted in its thread."""

    EVERY = "every"
    OUTCOMES = "outcomes"
    FAILURES = "failures"
    STATE_CHANGES = "turns"  # the first failure in a series of jobs, and the first success after it


class Tasks(StrEnum):
    """The ended tasks that are posted in a thread."""

    FAILURES = "failures"
    ALL = "all"
    NONE = "none"


class Broadcast(StrEnum):
    """The outcomes that are shown in the channel as well as in the thread."""

    NEVER = "never"
    FAILURE = "failure"
    FAILURE_AND_RECOVERY = "failure_and_recovery"


class Mention(StrEnum):
    """Who is mentioned when a job ends."""

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
    """Daily hours in which nothing is posted; they may cross midnight."""

    begins: time
    ends: time
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    allow_failures: bool = False  # failures are posted all the same

    @model_validator(mode="after")
    def _check_span(self) -> Self:
        """Reject quiet hours that never end: what they defer would never be posted."""
        if self.begins == self.ends:
            raise ValueError("must end at another time than they begin")
        return self

    def end_after(self, now: datetime) -> datetime | None:
        """Return the end of the current quiet hours, aware; None outside quiet hours."""
        local = now.astimezone(ZoneInfo(self.zone))
        for days in (0, 1):  # days since the start
            start = datetime.combine(local.date() - timedelta(days), self.begins, local.tzinfo)
            over_midnight = timedelta(self.ends <= self.begins)
            end = datetime.combine(start.date() + over_midnight, self.ends, local.tzinfo)
            if start <= local < end:
                return end
        return None


GROUP_ID_PATTERN = r"^(S[A-Z0-9]{2,20})?$"


class NotificationPolicy(Value):
    """What one channel wants to receive. The defaults are those of a channel without settings."""

    follow_ups: FollowUps = FollowUps.EVERY
    tasks: Tasks = Tasks.FAILURES
    broadcast: Broadcast = Broadcast.FAILURE
    mention: Mention = Mention.ASKER
    group: Annotated[str, Field(pattern=GROUP_ID_PATTERN)] = ""  # Slack's id of the user group
    quiet_hours: QuietHours | None = None
    posts_per_hour: Annotated[int, Field(ge=1, le=1000)] | None = None  # None: no limit
    board: bool = False  # jobs requested at once, or within a minute, share a message
    reaction: bool = False  # the asker's message gets a reaction instead of thread replies

    @property
    def needs_history(self) -> bool:
        """Whether a decision depends on the outcome of the previous job of the series."""
        return (
            self.follow_ups is FollowUps.STATE_CHANGES
            or self.broadcast is Broadcast.FAILURE_AND_RECOVERY
        )


PRESETS: Mapping[str, NotificationPolicy] = {
    "quiet": NotificationPolicy(
        follow_ups=FollowUps.OUTCOMES,
        tasks=Tasks.NONE,
        broadcast=Broadcast.NEVER,
        board=True,
    ),
    "normal": NotificationPolicy(),
    "verbose": NotificationPolicy(tasks=Tasks.ALL, broadcast=Broadcast.FAILURE_AND_RECOVERY),
}


CHANNEL_ID = re.compile(r"[CDG][A-Z0-9]{2,20}")  # Slack's


class NotifySettings(NotificationPolicy):
    """The notification policy where a channel overrides nothing, and who may override it."""

    who_may_change: Literal["members", "admins"] = "members"  # a channel's settings
    channels: dict[str, dict[str, Any]] = Field(default_factory=dict)  # channel ID to policy fields

    @property
    def defaults(self) -> dict[str, Any]:
        """The policy fields that are set here, as JSON values."""
        own = self.model_fields_set & set(NotificationPolicy.model_fields)
        return self.model_dump(mode="json", include=own)

    @field_validator("channels")
    @classmethod
    def _check_channels(cls, channels: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Check the policy fields of each channel."""
        if bad := [repr(name) for name in channels if not CHANNEL_ID.fullmatch(name)]:
            raise ValueError(f"{', '.join(bad)}: a channel goes by its id in Slack, such as C0123")
        return {name: _policy_fields(name, fields) for name, fields in channels.items()}

    @model_validator(mode="after")
    def _check_consistency(self) -> Self:
        """Check that the fields are consistent, in general and for each channel."""
        _require_group(NotificationPolicy.model_validate(self.defaults), "")
        for name, fields in self.channels.items():
            _require_group(
                NotificationPolicy.model_validate({**self.defaults, **fields}), f" in {name}"
            )
        return self


def _policy_fields(channel: str, fields: dict[str, Any]) -> dict[str, Any]:
    try:
        return NotificationPolicy.model_validate(fields).model_dump(
            mode="json", include=set(fields)
        )
    except ValidationError as error:
        raise ValueError(f"in {channel}, {'; '.join(error_sentences(error))}") from None


def _require_group(policy: NotificationPolicy, where: str) -> None:
    if policy.mention is Mention.GROUP and not policy.group:
        raise ValueError(
            f'mention is "group"{where}, so group must name one by its id, such as S0123ABC'
        )
