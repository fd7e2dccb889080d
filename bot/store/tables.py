"""The tables and their indexes.

No table refers to another by a foreign key: each is pruned by its own clock, and a message may
well outlive its watch.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, String, Table, UniqueConstraint

from bot.noise.decision import Action, Happening
from bot.store.columns import Body, Look, Moment, among, counted, word
from bot.store.records import BoardKind, PostKind, PostState, WatchState

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

inbox = Table(
    "inbox",
    metadata,
    counted(),
    Column("workspace", String, nullable=False),
    Column("key", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("body", Body, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_until", Moment, nullable=False),
    Column("closed_at", Moment),
    UniqueConstraint("workspace", "key"),
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
    counted(),
    Column("workspace", String, nullable=False),
    Column("key", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("thread", String, nullable=False),
    Column("lane", Integer, nullable=False),
    Column("kind", word(PostKind), nullable=False),
    Column("body", Body, nullable=False),
    Column("watch_id", String),
    Column("board_id", String),  # whose message it is, if it is that of several jobs
    Column("roots_watch", Boolean, nullable=False),
    Column("aimed", Boolean, nullable=False),  # False: an update whose target its watch must tell
    Column("urgent", Boolean, nullable=False),
    Column("reason", String, nullable=False),
    Column("state", word(PostState), nullable=False),
    Column("version", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("doubtful", Boolean, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("deadline", Moment),
    Column("adopt_at", Moment),
    Column("sent_ts", String),
    Column("error", String, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("settled_at", Moment),  # since when it is sent, parked or dropped
    UniqueConstraint("workspace", "key"),
)
UNSENT = among(outbox.c.state, PostState.READY, PostState.SENDING)
PARKED = among(outbox.c.state, PostState.PARKED)
Index(
    "ix_outbox_unsent",
    outbox.c.workspace,
    outbox.c.thread,
    outbox.c.id,
    outbox.c.state,  # so that the index alone tells the heads
    sqlite_where=UNSENT,
    postgresql_where=UNSENT,
)
Index(
    "ix_outbox_parked",
    outbox.c.workspace,
    outbox.c.channel,
    sqlite_where=PARKED,
    postgresql_where=PARKED,
)
Index(
    "ix_outbox_settled",
    outbox.c.settled_at,
    sqlite_where=outbox.c.settled_at.is_not(None),
    postgresql_where=outbox.c.settled_at.is_not(None),
)
Index(
    "ix_outbox_sent",  # whose message was clicked
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
    Column("asked_at", Moment, nullable=False),
    Column("state", word(WatchState), nullable=False),
    Column("ended_at", Moment),
    Column("reason", String, nullable=False),
    Column("board_id", String),
    Column("said_ts", String),
)
LIVING = among(watches.c.state, WatchState.ACTIVE, WatchState.PARKED)
ACTIVE = among(watches.c.state, WatchState.ACTIVE)
Index(
    "uq_watches_living",
    watches.c.workspace,
    watches.c.channel,
    watches.c.connection,
    watches.c.job_id,
    unique=True,
    sqlite_where=LIVING,
    postgresql_where=LIVING,
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
    Column("seen", Look),
    Column("due_at", Moment),
    Column("checked_at", Moment),
    Column("failures", Integer, nullable=False),
    Column("trouble", String, nullable=False),
    Column("trouble_since", Moment),
)
AWAKE = jobs.c.due_at.is_not(None)
Index(
    "ix_jobs_due",
    jobs.c.connection,
    jobs.c.due_at,
    jobs.c.shard,
    sqlite_where=AWAKE,
    postgresql_where=AWAKE,
)
Index(
    "ix_jobs_asleep",
    jobs.c.checked_at,
    sqlite_where=jobs.c.due_at.is_(None),
    postgresql_where=jobs.c.due_at.is_(None),
)

boards = Table(
    "boards",
    metadata,
    Column("id", String, primary_key=True),
    Column("workspace", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("kind", word(BoardKind), nullable=False),
    Column("asker", String, nullable=False),
    Column("thread_ts", String),
    Column("message_ts", String),
    Column("opened_at", Moment, nullable=False),
    Column("closes_at", Moment),
    Column("closed_at", Moment),
)
OPEN = boards.c.closed_at.is_(None)
Index(
    "ix_boards_open",
    boards.c.workspace,
    boards.c.channel,
    boards.c.kind,
    sqlite_where=OPEN,
    postgresql_where=OPEN,
)
Index(
    "ix_boards_closed",
    boards.c.closed_at,
    sqlite_where=boards.c.closed_at.is_not(None),
    postgresql_where=boards.c.closed_at.is_not(None),
)

contracts = Table(
    "contracts",
    metadata,
    Column("workspace", String, primary_key=True),
    Column("channel", String, primary_key=True),
    Column("values", Body, nullable=False),
    Column("set_by", String, nullable=False),
    Column("set_at", Moment, nullable=False),
    Column("revision", Integer, nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    counted(),
    Column("workspace", String, nullable=False),
    Column("key", String, nullable=False),  # that of the follow-up in the outbox, if it is told
    Column("channel", String, nullable=False),
    Column("watch_id", String, nullable=False),
    Column("connection", String, nullable=False),
    Column("job_id", String, nullable=False),
    Column("name", String, nullable=False),  # of the job
    Column("series", String, nullable=False),  # jobs of one series stand together
    Column("happening", word(Happening), nullable=False),
    Column("bad", Boolean, nullable=False),
    Column("was_bad", Boolean, nullable=False),
    Column("action", word(Action), nullable=False),
    Column("rule", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("text", String, nullable=False),  # what there is to tell, as Slack takes it
    Column("body", Body),  # of the follow-up, while it is held
    Column("until", Moment),  # when what is held is told; None: it is not held
    Column("board_id", String),  # the digest that tells it
    Column("at", Moment, nullable=False),
    UniqueConstraint("workspace", "key"),
)
HELD = decisions.c.until.is_not(None)
Index(
    "ix_decisions_held",
    decisions.c.until,
    sqlite_where=HELD,
    postgresql_where=HELD,
)
Index("ix_decisions_channel", decisions.c.workspace, decisions.c.channel, decisions.c.at)
Index("ix_decisions_series", decisions.c.workspace, decisions.c.channel, decisions.c.series)
Index("ix_decisions_watch", decisions.c.watch_id)
Index(
    "ix_decisions_board",
    decisions.c.board_id,
    sqlite_where=decisions.c.board_id.is_not(None),
    postgresql_where=decisions.c.board_id.is_not(None),
)
Index("ix_decisions_at", decisions.c.at)
