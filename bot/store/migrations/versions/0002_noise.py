"""Add channel settings, decisions and boards."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, columns and indexes."""
    op.add_column("outbox", sa.Column("board_id", sa.String()))
    op.add_column("watches", sa.Column("board_id", sa.String()))
    op.add_column("watches", sa.Column("said_ts", sa.String()))
    op.create_index("ix_watches_board", "watches", ["board_id"], **_partial("board_id IS NOT NULL"))
    _boards()
    _contracts()
    _decisions()


def downgrade() -> None:
    """Drop the tables, columns and indexes."""
    for table in ("decisions", "contracts", "boards"):
        op.drop_table(table)
    op.drop_index("ix_watches_board", "watches")
    op.drop_column("watches", "said_ts")
    op.drop_column("watches", "board_id")
    op.drop_column("outbox", "board_id")


def _partial(condition: str) -> dict[str, Any]:
    """Return the options of a partial index for both databases."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _boards() -> None:
    op.create_table(
        "boards",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("asker", sa.String(), nullable=False),
        sa.Column("thread_ts", sa.String()),
        sa.Column("message_ts", sa.String()),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closes_at", sa.BigInteger()),
        sa.Column("closed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_boards"),
    )
    open_ones = ["workspace", "channel", "kind"]
    op.create_index("ix_boards_open", "boards", open_ones, **_partial("closed_at IS NULL"))
    op.create_index(
        "ix_boards_closed", "boards", ["closed_at"], **_partial("closed_at IS NOT NULL")
    )


def _contracts() -> None:
    op.create_table(
        "contracts",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("values", sa.Text(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "channel", name="pk_contracts"),
    )


def _decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("watch_id", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("series", sa.String(), nullable=False),
        sa.Column("happening", sa.String(16), nullable=False),
        sa.Column("bad", sa.Boolean(), nullable=False),
        sa.Column("was_bad", sa.Boolean(), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("body", sa.Text()),
        sa.Column("until", sa.BigInteger()),
        sa.Column("board_id", sa.String()),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
        sa.UniqueConstraint("workspace", "key", name="uq_decisions_workspace_key"),
    )
    op.create_index("ix_decisions_held", "decisions", ["until"], **_partial("until IS NOT NULL"))
    op.create_index("ix_decisions_channel", "decisions", ["workspace", "channel", "at"])
    op.create_index("ix_decisions_series", "decisions", ["workspace", "channel", "series"])
    op.create_index("ix_decisions_watch", "decisions", ["watch_id"])
    op.create_index(
        "ix_decisions_board", "decisions", ["board_id"], **_partial("board_id IS NOT NULL")
    )
    op.create_index("ix_decisions_at", "decisions", ["at"])
