"""Reschedules rows whose due times are too far ahead after the clock was set back.

The clock can be set while the bot runs or while it is stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, update

from bot.store.records import MessageState
from bot.store.tables import UNSENT, inbox, jobs, outbox

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

_LATEST = bindparam("latest", type_=jobs.c.due_at.type)
_NOW = bindparam("at", type_=jobs.c.due_at.type)
_PULL_FORWARD = (
    update(jobs).where(jobs.c.due_at > _LATEST).values(due_at=_NOW),
    update(inbox)
    .where(inbox.c.closed_at.is_(None), inbox.c.lease_until > _LATEST)
    .values(lease_until=_NOW),
    update(outbox)
    .where(UNSENT, outbox.c.state == MessageState.READY, outbox.c.due_at > _LATEST)
    .values(due_at=_NOW),
)
# The holder of a claim may still be sending: it keeps the time of a new claim.
_SHORTEN_CLAIMS = (
    update(outbox)
    .where(UNSENT, outbox.c.state == MessageState.SENDING, outbox.c.reclaim_at > _LATEST)
    .values(reclaim_at=bindparam("reclaimable_at", type_=jobs.c.due_at.type))
)


class DueTimes:
    """The due times of all tables, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def pull_forward(self, now: datetime, *, latest: datetime, reclaim_at: datetime) -> int:
        """Make rows that are due later than `latest` due now; return how many.

        Claims that would last that long become reclaimable at `reclaim_at`.
        """
        found = 0
        for statement in _PULL_FORWARD:
            rows = await self._connection.execute(statement, {"at": now, "latest": latest})
            found += rows.rowcount
        bound = {"latest": latest, "reclaimable_at": reclaim_at}
        return found + (await self._connection.execute(_SHORTEN_CLAIMS, bound)).rowcount
