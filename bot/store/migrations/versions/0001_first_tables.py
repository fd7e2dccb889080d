"""Create the tables and their indexes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and their indexes."""
    _inbox()
    _outbox()
    _watches()
    _jobs()
    _boards()
    _channel_settings()
    _decisions()


def downgrade() -> None:
    """Drop the tables."""
    for table in ("decisions", "channel_settings", "boards", "jobs", "watches", "outbox", "inbox"):
        op.drop_table(table)


def _partial(condition: str) -> dict[str, Any]:
    """Return the options of a partial index for both databases."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _auto_increment_id() -> sa.Column[int]:
    """Return an auto-increment primary key; SQLite only increments an INTEGER."""
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False)


def _inbox() -> None:
    op.create_table(
        "inbox",
        _auto_increment_id(),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_inbox"),
        sa.UniqueConstraint(
            "workspace", "idempotency_key", name="uq_inbox_workspace_idempotency_key"
        ),
    )
    op.create_index("ix_inbox_closed", "inbox", ["closed_at"], **_partial("closed_at IS NOT NULL"))
    op.create_index(
        "ix_inbox_open", "inbox", ["lease_until", "received_at"], **_partial("closed_at IS NULL")
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        _auto_increment_id(),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("ordering_key", sa.String(), nullable=False),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("watch_id", sa.String()),
        sa.Column("board_id", sa.String()),
        sa.Column("creates_card", sa.Boolean(), nullable=False),
        sa.Column("has_target", sa.Boolean(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("unconfirmed", sa.Boolean(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.BigInteger()),
        sa.Column("reclaim_at", sa.BigInteger()),
        sa.Column("sent_ts", sa.String()),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint(
            "workspace", "idempotency_key", name="uq_outbox_workspace_idempotency_key"
        ),
    )
    _outbox_indexes()


def _outbox_indexes() -> None:
    op.create_index(
        "ix_outbox_unsent",
        "outbox",
        ["workspace", "ordering_key", "id", "state"],
        **_partial("state IN ('ready', 'sending')"),
    )
    op.create_index(
        "ix_outbox_dead_letters",
        "outbox",
        ["workspace", "channel"],
        **_partial("state IN ('dead_letter')"),
    )
    op.create_index(
        "ix_outbox_settled", "outbox", ["settled_at"], **_partial("settled_at IS NOT NULL")
    )
    op.create_index(
        "ix_outbox_sent", "outbox", ["channel", "sent_ts"], **_partial("sent_ts IS NOT NULL")
    )


def _watches() -> None:
    op.create_table(
        "watches",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("thread_ts", sa.String()),
        sa.Column("card_ts", sa.String()),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("asker", sa.String(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("board_id", sa.String()),
        sa.Column("request_ts", sa.String()),
        sa.PrimaryKeyConstraint("id", name="pk_watches"),
    )
    _watches_indexes()


def _watches_indexes() -> None:
    op.create_index(
        "uq_watches_open",
        "watches",
        ["workspace", "channel", "connection", "job_id"],
        unique=True,
        **_partial("state IN ('active', 'unreachable')"),
    )
    op.create_index(
        "ix_watches_job",
        "watches",
        ["workspace", "connection", "job_id"],
        **_partial("state IN ('active')"),
    )
    op.create_index("ix_watches_card", "watches", ["workspace", "channel", "card_ts"])
    op.create_index("ix_watches_board", "watches", ["board_id"], **_partial("board_id IS NOT NULL"))
    op.create_index("ix_watches_state", "watches", ["state", "ended_at"])


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("snapshot", sa.Text()),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("polled_at", sa.BigInteger()),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("failing_since", sa.BigInteger()),
        sa.PrimaryKeyConstraint("workspace", "connection", "job_id", name="pk_jobs"),
    )
    op.create_index(
        "ix_jobs_due", "jobs", ["connection", "due_at", "shard"], **_partial("due_at IS NOT NULL")
    )
    op.create_index("ix_jobs_not_polled", "jobs", ["polled_at"], **_partial("due_at IS NULL"))


def _boards() -> None:
    op.create_table(
        "boards",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("asker", sa.String(), nullable=False),
        sa.Column("thread_ts", sa.String()),
        sa.Column("message_ts", sa.String()),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closes_at", sa.BigInteger()),
        sa.Column("closed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_boards"),
    )
    columns = ["workspace", "channel", "kind"]
    op.create_index("ix_boards_open", "boards", columns, **_partial("closed_at IS NULL"))
    op.create_index(
        "ix_boards_closed", "boards", ["closed_at"], **_partial("closed_at IS NOT NULL")
    )


def _channel_settings() -> None:
    op.create_table(
        "channel_settings",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("values", sa.Text(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "channel", name="pk_channel_settings"),
    )


def _decisions() -> None:
    op.create_table(
        "decisions",
        _auto_increment_id(),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("watch_id", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("series", sa.String(), nullable=False),
        sa.Column("event_kind", sa.String(32), nullable=False),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.Column("previously_failed", sa.Boolean(), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("body", sa.Text()),
        sa.Column("deferred_until", sa.BigInteger()),
        sa.Column("board_id", sa.String()),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
        sa.UniqueConstraint(
            "workspace", "idempotency_key", name="uq_decisions_workspace_idempotency_key"
        ),
    )
    _decisions_indexes()


def _decisions_indexes() -> None:
    op.create_index(
        "ix_decisions_deferred",
        "decisions",
        ["deferred_until"],
        **_partial("deferred_until IS NOT NULL"),
    )
    op.create_index("ix_decisions_channel", "decisions", ["workspace", "channel", "decided_at"])
    op.create_index("ix_decisions_series", "decisions", ["workspace", "channel", "series"])
    op.create_index("ix_decisions_watch", "decisions", ["watch_id"])
    op.create_index(
        "ix_decisions_board", "decisions", ["board_id"], **_partial("board_id IS NOT NULL")
    )
    op.create_index("ix_decisions_decided_at", "decisions", ["decided_at"])
