"""Table definitions and indexes.

There are no foreign keys: each table is pruned on its own, and a message can outlive its watch.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, String, Table, UniqueConstraint

from bot.store.column_types import (
    JobSnapshot,
    JsonObject,
    UtcTimestamp,
    auto_increment_id,
    enum_text,
    in_literals,
)
from bot.store.records import (
    BoardKind,
    DeliveryAction,
    EventKind,
    MessageKind,
    MessageState,
    WatchState,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

inbox = Table(
    "inbox",
    metadata,
    auto_increment_id(),
    Column("workspace", String, nullable=False),
    Column("idempotency_key", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("body", JsonObject, nullable=False),
    Column("received_at", UtcTimestamp, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_until", UtcTimestamp, nullable=False),
    Column("closed_at", UtcTimestamp),
    UniqueConstraint("workspace", "idempotency_key"),
)
Index(
    "ix_inbox_open",
    inbox.c.lease_until,
    inbox.c.received_at,
    sqlite_where=inbox.c.closed_at.is_(None),
    postgresql_where=inbox.c.closed_at.is_(None),
)
Index(
    "ix_inbox_closed",
    inbox.c.closed_at,
    sqlite_where=inbox.c.closed_at.is_not(None),
    postgresql_where=inbox.c.closed_at.is_not(None),
)

outbox = Table(
    "outbox",
    metadata,
    auto_increment_id(),
    Column("workspace", String, nullable=False),
    Column("idempotency_key", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("ordering_key", String, nullable=False),
    Column("lane", Integer, nullable=False),
    Column("kind", enum_text(MessageKind), nullable=False),
    Column("body", JsonObject, nullable=False),
    Column("watch_id", String),
    Column("board_id", String),  # the board that it posts or updates, if any
    Column("creates_card", Boolean, nullable=False),
    Column("has_target", Boolean, nullable=False),  # False: an update of the card of its watch
    Column("urgent", Boolean, nullable=False),
    Column("reason", String, nullable=False),
    Column("state", enum_text(MessageState), nullable=False),
    Column("version", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("unconfirmed", Boolean, nullable=False),
    Column("due_at", UtcTimestamp, nullable=False),
    Column("deadline", UtcTimestamp),
    Column("reclaim_at", UtcTimestamp),
    Column("sent_ts", String),
    Column("error", String, nullable=False),
    Column("created_at", UtcTimestamp, nullable=False),
    Column("settled_at", UtcTimestamp),  # when it was sent, rejected or dropped
    UniqueConstraint("workspace", "idempotency_key"),
)
UNSENT = in_literals(outbox.c.state, MessageState.READY, MessageState.SENDING)
DEAD_LETTER = in_literals(outbox.c.state, MessageState.DEAD_LETTER)
Index(
    "ix_outbox_unsent",
    outbox.c.workspace,
    outbox.c.ordering_key,
    outbox.c.id,
    outbox.c.state,  # covering: the next messages are found in the index alone
    sqlite_where=UNSENT,
    postgresql_where=UNSENT,
)
Index(
    "ix_outbox_dead_letters",
    outbox.c.workspace,
    outbox.c.channel,
    sqlite_where=DEAD_LETTER,
    postgresql_where=DEAD_LETTER,
)
Index(
    "ix_outbox_settled",
    outbox.c.settled_at,
    sqlite_where=outbox.c.settled_at.is_not(None),
    postgresql_where=outbox.c.settled_at.is_not(None),
)
Index(
    "ix_outbox_sent",  # finds the message that a user clicked
    outbox.c.channel,
    outbox.c.sent_ts,
    sqlite_where=outbox.c.sent_ts.is_not(None),
    postgresql_where=outbox.c.sent_ts.is_not(None),
)

watches = Table(
    "watches",
    metadata,
    Column("id", String, primary_key=True),
    Column("workspace", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("thread_ts", String),
    Column("card_ts", String),
    Column("connection", String, nullable=False),
    Column("job_id", String, nullable=False),
    Column("asker", String, nullable=False),
    Column("requested_at", UtcTimestamp, nullable=False),
    Column("state", enum_text(WatchState), nullable=False),
    Column("ended_at", UtcTimestamp),
    Column("reason", String, nullable=False),
    Column("board_id", String),
    Column("request_ts", String),
)
NOT_ENDED = in_literals(watches.c.state, WatchState.ACTIVE, WatchState.UNREACHABLE)
ACTIVE = in_literals(watches.c.state, WatchState.ACTIVE)
Index(
    "uq_watches_open",
    watches.c.workspace,
    watches.c.channel,
    watches.c.connection,
    watches.c.job_id,
    unique=True,
    sqlite_where=NOT_ENDED,
    postgresql_where=NOT_ENDED,
)
Index(
    "ix_watches_job",
    watches.c.workspace,
    watches.c.connection,
    watches.c.job_id,
    sqlite_where=ACTIVE,
    postgresql_where=ACTIVE,
)
Index("ix_watches_card", watches.c.workspace, watches.c.channel, watches.c.card_ts)
Index(
    "ix_watches_board",
    watches.c.board_id,
    sqlite_where=watches.c.board_id.is_not(None),
    postgresql_where=watches.c.board_id.is_not(None),
)
Index("ix_watches_state", watches.c.state, watches.c.ended_at)

jobs = Table(
    "jobs",
    metadata,
    Column("workspace", String, primary_key=True),
    Column("connection", String, primary_key=True),
    Column("job_id", String, primary_key=True),
    Column("shard", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("snapshot", JobSnapshot),
    Column("due_at", UtcTimestamp),
    Column("polled_at", UtcTimestamp),
    Column("failures", Integer, nullable=False),
    Column("error", String, nullable=False),
    Column("failing_since", UtcTimestamp),
)
POLLED = jobs.c.due_at.is_not(None)
Index(
    "ix_jobs_due",
    jobs.c.connection,
    jobs.c.due_at,
    jobs.c.shard,
    sqlite_where=POLLED,
    postgresql_where=POLLED,
)
Index(
    "ix_jobs_not_polled",
    jobs.c.polled_at,
    sqlite_where=jobs.c.due_at.is_(None),
    postgresql_where=jobs.c.due_at.is_(None),
)

boards = Table(
    "boards",
    metadata,
    Column("id", String, primary_key=True),
    Column("workspace", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("kind", enum_text(BoardKind), nullable=False),
    Column("asker", String, nullable=False),
    Column("thread_ts", String),
    Column("message_ts", String),
    Column("opened_at", UtcTimestamp, nullable=False),
    Column("closes_at", UtcTimestamp),
    Column("closed_at", UtcTimestamp),
)
BOARD_OPEN = boards.c.closed_at.is_(None)
Index(
    "ix_boards_open",
    boards.c.workspace,
    boards.c.channel,
    boards.c.kind,
    sqlite_where=BOARD_OPEN,
    postgresql_where=BOARD_OPEN,
)
Index(
    "ix_boards_closed",
    boards.c.closed_at,
    sqlite_where=boards.c.closed_at.is_not(None),
    postgresql_where=boards.c.closed_at.is_not(None),
)

channel_settings = Table(
    "channel_settings",
    metadata,
    Column("workspace", String, primary_key=True),
    Column("channel", String, primary_key=True),
    Column("values", JsonObject, nullable=False),
    Column("set_by", String, nullable=False),
    Column("set_at", UtcTimestamp, nullable=False),
    Column("revision", Integer, nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    auto_increment_id(),
    Column("workspace", String, nullable=False),
    Column("idempotency_key", String, nullable=False),  # of its thread reply in the outbox, if any
    Column("channel", String, nullable=False),
    Column("watch_id", String, nullable=False),
    Column("connection", String, nullable=False),
    Column("job_id", String, nullable=False),
    Column("name", String, nullable=False),  # of the job
    Column("series", String, nullable=False),  # jobs of one series share one outcome history
    Column("event_kind", enum_text(EventKind), nullable=False),
    Column("failed", Boolean, nullable=False),
    Column("previously_failed", Boolean, nullable=False),
    Column("action", enum_text(DeliveryAction), nullable=False),
    Column("rule", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("text", String, nullable=False),  # text of the thread reply, as sent to Slack
    Column("body", JsonObject),  # of the thread reply, while it is deferred
    Column("deferred_until", UtcTimestamp),  # end of the deferral; None: not deferred
    Column("board_id", String),  # the digest that contains it
    Column("decided_at", UtcTimestamp, nullable=False),
    UniqueConstraint("workspace", "idempotency_key"),
)
DEFERRED = decisions.c.deferred_until.is_not(None)
Index(
    "ix_decisions_deferred",
    decisions.c.deferred_until,
    sqlite_where=DEFERRED,
    postgresql_where=DEFERRED,
)
Index("ix_decisions_channel", decisions.c.workspace, decisions.c.channel, decisions.c.decided_at)
Index("ix_decisions_series", decisions.c.workspace, decisions.c.channel, decisions.c.series)
Index("ix_decisions_watch", decisions.c.watch_id)
Index(
    "ix_decisions_board",
    decisions.c.board_id,
    sqlite_where=decisions.c.board_id.is_not(None),
    postgresql_where=decisions.c.board_id.is_not(None),
)
Index("ix_decisions_decided_at", decisions.c.decided_at)
