"""Action types that an answer consists of. `ActionExecutor` executes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.sdk.models import Job, JobRef, Message
    from bot.store import WatchedJob


@dataclass(frozen=True)
class Reply:
    """Send an ephemeral reply, or replace or delete the clicked message."""

    message: Message | None
    replace: bool = False
    delete: bool = False


@dataclass(frozen=True)
class ShowJob:
    """Post a job's card; an active job is also followed.

    `known`, here and below: revision of the job's row before the job was fetched; 0 if there was
    no row, None if unknown.
    """

    job: Job
    known_revision: int | None = None


@dataclass(frozen=True)
class FollowFromCard:
    """Follow a job from its existing card."""

    job: Job
    card_ts: str
    known_revision: int | None = None


@dataclass(frozen=True)
class RefreshCard:
    """Update a card with the fetched job."""

    job: Job
    card_ts: str
    known_revision: int | None = None


@dataclass(frozen=True)
class Unfollow:
    """End the watch of a job in this channel."""

    ref: JobRef


@dataclass(frozen=True)
class ChangeSettings:
    """Change the channel settings and re-evaluate the deferred notifications.

    `changes`: field → JSON value, merged into the current settings; None: reset to the defaults.
    `revision`: expected revision of the settings; None: any.
    """

    changes: Mapping[str, Any] | None
    revision: int | None = None


@dataclass(frozen=True)
class UnfollowBoard:
    """End all watches of a board."""

    board_id: str


@dataclass(frozen=True)
class RefreshBoard:
    """Update a board with its fetched jobs."""

    board_id: str
    polled: tuple[tuple[WatchedJob, Job], ...]  # stored row, and the job as fetched


Action = (
    Reply
    | ShowJob
    | FollowFromCard
    | RefreshCard
    | Unfollow
    | UnfollowBoard
    | RefreshBoard
    | ChangeSettings
)
