"""Add the index that finds outbox messages by Slack's timestamps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SENT = sa.text("sent_ts IS NOT NULL")


def upgrade() -> None:
    """Create the index."""
    op.create_index(
        "ix_outbox_sent",
        "outbox",
        ["channel", "sent_ts"],
        sqlite_where=_SENT,
        postgresql_where=_SENT,
    )


def downgrade() -> None:
    """Drop the index."""
    op.drop_index("ix_outbox_sent", "outbox")
