"""Action types that an answer consists of. `ActionExecutor` executes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.sdk.models import Job, JobRef, Message
    from bot.store import WatchedJob


@dataclass(frozen=True)
class Say:
    """Send an ephemeral reply, or replace or delete the clicked message."""

    message: Message | None
    replace: bool = False
    delete: bool = False


@dataclass(frozen=True)
class Show:
    """Post a job's card; an active job is also followed.

    `known`, here and below: revision of the job's row before the job was fetched; 0 if there was
    no row, None if unknown.
    """

    job: Job
    known: int | None = None


@dataclass(frozen=True)
class Adopt:
    """Follow a job from its existing card."""

    job: Job
    card_ts: str
    known: int | None = None


@dataclass(frozen=True)
class Redraw:
    """Update a card with the fetched job."""

    job: Job
    card_ts: str
    known: int | None = None


@dataclass(frozen=True)
class Stop:
    """End the watch of a job in this channel."""

    ref: JobRef


@dataclass(frozen=True)
class Agree:
    """Change the channel settings and re-evaluate the deferred notifications.

    `changes`: field → JSON value, merged into the current settings; None: reset to the defaults.
    `revision`: expected revision of the settings; None: any.
    """

    changes: Mapping[str, Any] | None
    revision: int | None = None


@dataclass(frozen=True)
class StopAll:
    """End all watches of a board."""

    board_id: str


@dataclass(frozen=True)
class Renew:
    """Update a board with its fetched jobs."""

    board_id: str
    found: tuple[tuple[WatchedJob, Job], ...]  # stored row, and the job as fetched


Part = Say | Show | Adopt | Redraw | Stop | StopAll | Renew | Agree
