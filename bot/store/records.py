"""What the store takes and gives: frozen records, one for each kind of row."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from bot.models import Job, JobRef
    from bot.noise.decision import Action, Happening

LANES = 64  # of messages, by channel
SHARDS = 64  # of jobs, by reference


def lane_of(workspace: str, channel: str) -> int:
    """Return the delivery lane of a channel: the same on every machine, for ever."""
    return zlib.crc32(f"{workspace}/{channel}".encode()) % LANES


def shard_of(ref: JobRef) -> int:
    """Return the polling shard of a job: the same on every machine, for ever."""
    return zlib.crc32(str(ref).encode()) % SHARDS


@dataclass(frozen=True, slots=True)
class Question:
    """Something Slack asked that is not yet answered."""

    id: int
    workspace: str
    key: str  # Slack's own id of it: the same question arrives once
    kind: str
    body: dict[str, Any]
    received_at: datetime
    attempts: int  # how often it was claimed; 0 as long as the one who added it holds it


class PostKind(StrEnum):
    """How a message reaches Slack."""

    POST = "post"  # a new message
    UPDATE = "update"  # a newer text for a message that stands
    EPHEMERAL = "ephemeral"  # seen by one person, until they reload
    DIRECT = "direct"  # to one person
    REACTION = "reaction"  # on a person's message


class PostState(StrEnum):
    """How far a message has come."""

    READY = "ready"
    SENDING = "sending"  # claimed; adopted by another if nothing is heard of it in time
    SENT = "sent"
    PARKED = "parked"  # Slack refuses it; it waits for a person
    DROPPED = "dropped"  # given up


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPost:
    """A message to be said."""

    key: str  # one key is said once
    workspace: str
    channel: str
    thread: str  # messages of one thread are sent in the order in which they were added
    kind: PostKind
    body: dict[str, Any]
    watch_id: str | None = None
    board_id: str | None = None  # it is the message of a board, or a change of that
    roots_watch: bool = False  # once sent, its timestamp becomes the watch's or board's `card_ts`
    urgent: bool = False  # goes before what is not
    due_at: datetime  # aware, UTC
    reason: str = ""  # why it is said, for the log


@dataclass(frozen=True, slots=True)
class Claim:
    """How long a message belongs to the one who sends it."""

    deadline: datetime  # no request may start later than this
    adopt_at: datetime  # from here on another may claim it


@dataclass(frozen=True, slots=True, kw_only=True)
class Post(NewPost):
    """A message as it stands in the outbox; `attempts` and `deadline` tell one claim from another.

    `card_ts` and `watch_thread_ts` are those of its watch or board, if it has one.
    """

    id: int
    lane: int
    state: PostState
    version: int  # counts the bodies that `replace` gave it, from 1
    attempts: int = 0  # how often this or an unsent earlier body was claimed
    doubtful: bool = False  # Slack may have it already: look before sending it again
    deadline: datetime | None = None  # no request may start later than this
    adopt_at: datetime | None = None  # from here on another may claim it
    sent_ts: str | None = None  # Slack's timestamp of the message
    error: str = ""  # of the last attempt
    created_at: datetime
    card_ts: str | None = None
    watch_thread_ts: str | None = None


class WatchState(StrEnum):
    """Whether a watch goes on."""

    ACTIVE = "active"
    ENDED = "ended"
    PARKED = "parked"  # its thread cannot be reached; it may be revived


STOPPED_BY = "stopped by "  # begins the reason of a watch that a person ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A promise to follow one job in one thread."""

    id: str  # a uuid4 in hexadecimal
    workspace: str
    channel: str
    thread_ts: str | None = None  # the thread it was asked in, if any
    card_ts: str | None = None  # the card's timestamp, once it stands
    ref: JobRef
    asker: str
    asked_at: datetime
    state: WatchState = WatchState.ACTIVE
    ended_at: datetime | None = None  # when it was ended or parked
    reason: str = ""  # why it was ended or parked
    board_id: str | None = None  # whose message is this watch's card, with those of other jobs
    said_ts: str | None = None  # of the asker's message, if reactions on that take a card's place

    @property
    def cardless(self) -> bool:
        """Whether reactions on the asker's message take the place of a card."""
        return self.said_ts is not None

    @property
    def stopper(self) -> str:
        """The person who ended it; empty: nobody did."""
        return self.reason.removeprefix(STOPPED_BY) if self.reason.startswith(STOPPED_BY) else ""


class BoardKind(StrEnum):
    """What a message that tells of several jobs is."""

    BOARD = "board"  # a row for each job that was asked for
    DIGEST = "digest"  # what was held back


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A message that tells of several jobs."""

    id: str  # a uuid4 in hexadecimal
    workspace: str
    channel: str
    kind: BoardKind
    asker: str  # empty: nobody asked for it
    thread_ts: str | None = None  # the thread it was asked in, if any
    message_ts: str | None = None  # its timestamp, once it stands
    opened_at: datetime
    closes_at: datetime | None = None  # when nothing more is added to it; None: when all ended
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelContract:
    """What a channel itself set of its noise policy: field → value, as JSON takes it."""

    workspace: str
    channel: str
    values: dict[str, Any]
    set_by: str
    set_at: datetime
    revision: int = 1  # counts the changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What was decided about one piece of news for one watch."""

    workspace: str
    key: str  # that of its follow-up in the outbox, if it is told
    channel: str
    watch_id: str
    ref: JobRef
    name: str  # of the job
    series: str = ""  # what the job is one of: its jobs stand together
    happening: Happening
    bad: bool
    was_bad: bool  # how the jobs of this series stood before
    action: Action
    rule: str
    reason: str
    text: str  # what there is to tell, as Slack takes it
    body: dict[str, Any] | None = None  # of the follow-up, while it is held
    until: datetime | None = None  # when what is held is told; None: it is not held
    board_id: str | None = None  # the digest that tells it
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message of ours that stands in Slack, as the outbox remembers it."""

    key: str  # that of the decision about it, if one was made
    reason: str
    watch_id: str | None
    board_id: str | None
    roots_watch: bool  # it is a card, or a board
    loud: bool  # it is shown in the channel as well
    late: bool = False  # it was late, and tells with it what waited behind it


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedJob:
    """A job that is asked for from time to time, as it was last seen."""

    workspace: str
    ref: JobRef
    revision: int  # counts the changes written, from 1; whoever writes compares it
    seen: Job | None
    due_at: datetime | None = None  # None: nobody follows it, or it has ended
    checked_at: datetime | None = None  # when it was last asked for, answered or not
    failures: int = 0  # in a row, since the last answer; below zero: so many found no such job
    trouble: str = ""  # a sentence; empty: none
    trouble_since: datetime | None = None
