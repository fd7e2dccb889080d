"""Row records and enums: frozen values that the store takes and returns."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.sdk.models import Job, JobRef

LANES = 64  # for delivery; a channel belongs to one lane
SHARDS = 64  # for polling; a job belongs to one shard


def lane_of(workspace: str, channel: str) -> int:
    """Return the delivery lane of a channel: a constant, equal on every machine."""
    return zlib.crc32(f"{workspace}/{channel}".encode()) % LANES


def shard_of(ref: JobRef) -> int:
    """Return the polling shard of a job: a constant, equal on every machine."""
    return zlib.crc32(str(ref).encode()) % SHARDS


@dataclass(frozen=True, slots=True)
class InboxItem:
    """A request from Slack that is not answered yet."""

    id: int
    workspace: str
    idempotency_key: str  # idempotency key: Slack's own id of the request
    kind: str
    body: dict[str, Any]
    received_at: datetime
    attempts: int  # number of claims; 0 while the process that added it holds the lease


class MessageKind(StrEnum):
    """How a message is sent to Slack."""

    POST = "post"  # a new message
    UPDATE = "update"  # edits a posted message
    EPHEMERAL = "ephemeral"  # visible to one user until they reload
    DIRECT = "direct"  # direct message
    REACTION = "reaction"  # on a user's message


@dataclass(frozen=True, slots=True)
class ReplyTarget:
    """How to send a user an ephemeral reply; part of an outbox message's body."""

    user: str
    thread_ts: str | None
    response_url: str | None  # secret: anybody who has it can post a reply
    expires_at: float | None  # of the response_url, in epoch seconds

    @classmethod
    def of_body(cls, body: Mapping[str, Any]) -> ReplyTarget:
        """Return the target in a message's body."""
        return cls(
            body["asker"], body.get("thread_ts"), body.get("response_url"), body.get("until")
        )

    def as_body(self) -> dict[str, Any]:
        """Return the target as part of a message's body."""
        return {
            "asker": self.user,
            "thread_ts": self.thread_ts,
            "response_url": self.response_url,
            "until": self.expires_at,
        }


class MessageState(StrEnum):
    """Delivery state of a message."""

    READY = "ready"
    SENDING = "sending"  # claimed; another process can reclaim it later
    SENT = "sent"
    DEAD_LETTER = "dead_letter"  # Slack rejects it; it needs an operator or a redelivery
    DROPPED = "dropped"  # will never be sent


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """A message to send."""

    idempotency_key: str  # idempotency key: one key is sent once
    workspace: str
    channel: str
    ordering_key: str  # ordering key: messages that share it are sent in the order of adding
    kind: MessageKind
    body: dict[str, Any]
    watch_id: str | None = None
    board_id: str | None = None  # set if it posts or updates a board
    creates_card: bool = False  # once sent, its timestamp becomes the watch's or board's `card_ts`
    urgent: bool = False  # sent before messages that are not urgent
    due_at: datetime  # aware, UTC
    reason: str = ""  # why it is sent, for the log


@dataclass(frozen=True, slots=True)
class Claim:
    """The time limits of a claimed message."""

    deadline: datetime  # no API call starts later
    reclaim_at: datetime  # another process can claim it from then on


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMessage(NewMessage):
    """A message in the outbox; `attempts` and `deadline` identify a claim.

    `card_ts` and `watch_thread_ts` are those of its watch or board, if it has one.
    """

    id: int
    lane: int
    state: MessageState
    version: int  # of the body, from 1; `replace` increments it
    attempts: int = 0  # claims of this body and of unsent earlier ones
    unconfirmed: bool = False  # Slack may have it: look it up before a retry
    deadline: datetime | None = None  # no API call starts later
    reclaim_at: datetime | None = None  # another process can claim it from then on
    sent_ts: str | None = None  # Slack's timestamp of the message
    error: str = ""  # of the last attempt
    created_at: datetime
    card_ts: str | None = None
    watch_thread_ts: str | None = None


class WatchState(StrEnum):
    """Lifecycle state of a watch."""

    ACTIVE = "active"
    ENDED = "ended"
    UNREACHABLE = "unreachable"  # its thread rejects posts; it can be reactivated


STOPPED_BY_PREFIX = "stopped by "  # prefix of `reason` if a user ended the watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One job that is followed in one thread."""

    id: str  # a uuid4 in hexadecimal
    workspace: str
    channel: str
    thread_ts: str | None = None  # the thread of the request, if any
    card_ts: str | None = None  # timestamp of the card, once posted
    ref: JobRef
    asker: str
    requested_at: datetime
    state: WatchState = WatchState.ACTIVE
    ended_at: datetime | None = None  # when it ended or became unreachable
    reason: str = ""  # why it ended or became unreachable
    board_id: str | None = None  # the board that shows this job, if any
    request_ts: str | None = None  # the asker's message, if reactions on it replace the card

    @property
    def uses_reactions(self) -> bool:
        """Whether reactions on the asker's message replace the card."""
        return self.request_ts is not None

    @property
    def stopped_by(self) -> str:
        """The user who ended the watch; empty if no user did."""
        return (
            self.reason.removeprefix(STOPPED_BY_PREFIX)
            if self.reason.startswith(STOPPED_BY_PREFIX)
            else ""
        )


class BoardKind(StrEnum):
    """What a message about several jobs contains."""

    BOARD = "board"  # one row for each requested job
    DIGEST = "digest"  # deferred notifications


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A message about several jobs."""

    id: str  # a uuid4 in hexadecimal
    workspace: str
    channel: str
    kind: BoardKind
    asker: str  # empty if no user requested it
    thread_ts: str | None = None  # the thread of the request, if any
    message_ts: str | None = None  # timestamp of the message, once posted
    opened_at: datetime
    closes_at: datetime | None = None  # when it stops taking rows; None: when all its jobs ended
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelOverrides:
    """The notification settings that a channel overrides: fields and their JSON values."""

    workspace: str
    channel: str
    values: dict[str, Any]
    set_by: str
    set_at: datetime
    revision: int = 1  # incremented by each change


class EventKind(StrEnum):
    """The kind of an event of a followed job."""

    CHANGE = "change"  # the job has a new status, which is not terminal
    TASK = "task"  # a task has ended; the job's status is unchanged
    RUN = "run"  # one run of a repeating job has ended
    OUTCOME = "outcome"  # the job has ended
    POLLING_FAILED = "polling_failed"  # the job cannot be polled
    POLLING_RECOVERED = "polling_recovered"  # polling works again
    JOB_MISSING = "job_missing"  # the job is not found any more, or access to it is denied


class DeliveryAction(StrEnum):
    """How an event is delivered; the card is updated in any case."""

    POST = "post"  # a thread reply
    UPDATE = "update"  # only the card
    DEFER = "defer"  # deferred until the quiet hours end
    DIGEST = "digest"  # in the digest of the thread replies beyond the hourly limit
    REACT = "react"  # a reaction on the asker's message
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRecord:
    """The decision about one event for one watch."""

    workspace: str
    idempotency_key: str  # idempotency key of its thread reply, if one is sent
    channel: str
    watch_id: str
    ref: JobRef
    name: str  # of the job
    series: str = ""  # jobs of one series share one outcome history
    event_kind: EventKind
    failed: bool
    previously_failed: bool  # whether the previous outcome of the series was a failure
    action: DeliveryAction
    rule: str
    reason: str
    text: str  # text of the thread reply, as sent to Slack
    body: dict[str, Any] | None = None  # of the thread reply, while it is deferred
    deferred_until: datetime | None = None  # end of the deferral; None: not deferred
    board_id: str | None = None  # the digest that contains it
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """One of the bot's messages in Slack, as recorded in the outbox."""

    idempotency_key: str  # idempotency key, which its decision shares, if there is one
    reason: str
    watch_id: str | None
    board_id: str | None
    creates_card: bool  # it is a card or a board
    broadcast: bool  # also shown in the channel
    coalesced: bool = False  # it also contains later replies, coalesced into it


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedJob:
    """A followed job: its last known snapshot, and when it is polled next."""

    workspace: str
    ref: JobRef
    revision: int  # from 1; incremented by each compare-and-set
    snapshot: Job | None
    due_at: datetime | None = None  # time of the next poll; None: not polled
    polled_at: datetime | None = None  # time of the last poll, failed or not
    failures: int = 0  # in a row; negative: so many polls found no such job
    error: str = ""  # error of the last poll, as a sentence; empty: none
    failing_since: datetime | None = None
