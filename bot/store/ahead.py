"""What a clock that was set back would leave waiting: a moment too far ahead is due now.

The clock may be set while the bot runs, or while it does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, update

from bot.store.records import PostState
from bot.store.tables import UNSENT, inbox, jobs, outbox

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

_BEYOND = bindparam("latest", type_=jobs.c.due_at.type)
_NOW = bindparam("at", type_=jobs.c.due_at.type)
_RECALL = (
    update(jobs).where(jobs.c.due_at > _BEYOND).values(due_at=_NOW),
    update(inbox)
    .where(inbox.c.closed_at.is_(None), inbox.c.lease_until > _BEYOND)
    .values(lease_until=_NOW),
    update(outbox)
    .where(UNSENT, outbox.c.state == PostState.READY, outbox.c.due_at > _BEYOND)
    .values(due_at=_NOW),
)
# Whoever holds a claim may be sending still: it keeps as much as a new claim would have.
_RECLAIM = (
    update(outbox)
    .where(UNSENT, outbox.c.state == PostState.SENDING, outbox.c.adopt_at > _BEYOND)
    .values(adopt_at=bindparam("adopted", type_=jobs.c.due_at.type))
)


class Ahead:
    """The moments that lie ahead, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def recall(self, now: datetime, *, latest: datetime, adopt_at: datetime) -> int:
        """Let what waits for a moment later than the latest be due now; return how much.

        Claims that would be held longer may be adopted then.
        """
        found = 0
        for statement in _RECALL:
            rows = await self._connection.execute(statement, {"at": now, "latest": latest})
            found += rows.rowcount
        bound = {"latest": latest, "adopted": adopt_at}
        return found + (await self._connection.execute(_RECLAIM, bound)).rowcount
