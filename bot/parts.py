"""What an answer is made of: things to say, show, follow, stop, agree on. The ledger does them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.models import Job, JobRef, Message
    from bot.store import WatchedJob


@dataclass(frozen=True)
class Say:
    """Tell the asker alone; or, through the clicked message, replace or delete that."""

    message: Message | None
    replace: bool = False
    delete: bool = False


@dataclass(frozen=True)
class Show:
    """Post a job's card; a living job is followed from it.

    `known`, here and below: the revision that the job's row had before the job was looked at, 0
    if there was no row, None if that is not known.
    """

    job: Job
    known: int | None = None


@dataclass(frozen=True)
class Adopt:
    """Follow a job from a card that is there already."""

    job: Job
    card_ts: str
    known: int | None = None


@dataclass(frozen=True)
class Redraw:
    """Draw a card anew, with the job as just seen."""

    job: Job
    card_ts: str
    known: int | None = None


@dataclass(frozen=True)
class Stop:
    """End the following of a job in this channel."""

    ref: JobRef


@dataclass(frozen=True)
class Agree:
    """Change the contract of this channel; what is held back there is decided anew.

    `changes`: field → value as JSON has it, laid over what holds; None: back to the defaults.
    `revision`: of the contract that was read; None: whichever holds.
    """

    changes: Mapping[str, Any] | None
    revision: int | None = None


@dataclass(frozen=True)
class StopAll:
    """End the following of all jobs on a board."""

    board_id: str


@dataclass(frozen=True)
class Renew:
    """Draw a board anew, with its jobs as just seen."""

    board_id: str
    found: tuple[tuple[WatchedJob, Job], ...]  # as each was known before the look, and as it is


Part = Say | Show | Adopt | Redraw | Stop | StopAll | Renew | Agree
