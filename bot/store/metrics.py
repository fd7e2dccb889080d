"""Metrics: counts and ages of pending rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from bot.store.tables import DEAD_LETTER, DEFERRED, POLLED, UNSENT, decisions, inbox, jobs, outbox

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Executable
    from sqlalchemy.ext.asyncio import AsyncConnection

_OPEN = select(func.count(), func.min(inbox.c.received_at)).where(inbox.c.closed_at.is_(None))
_UNSENT = select(func.count(), func.min(outbox.c.created_at)).where(UNSENT)
_DEAD_LETTERS = select(func.count(), func.min(outbox.c.settled_at)).where(DEAD_LETTER)
_OVERDUE = select(func.count(), func.min(jobs.c.due_at)).where(
    POLLED, jobs.c.due_at <= bindparam("at")
)
_DEFERRED = select(func.count(), func.min(decisions.c.decided_at)).where(DEFERRED)


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """The number of pending rows, and the time of the oldest."""

    count: int
    oldest_at: datetime | None  # None if there are none


class Metrics:
    """The metrics, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def requests(self) -> QueueDepth:
        """Return the requests that are not answered yet."""
        return await self._read(_OPEN)

    async def messages(self) -> QueueDepth:
        """Return the messages that are not known to be posted yet."""
        return await self._read(_UNSENT)

    async def dead_letters(self) -> QueueDepth:
        """Return the dead letters."""
        return await self._read(_DEAD_LETTERS)

    async def overdue_jobs(self, now: datetime) -> QueueDepth:
        """Return the jobs that should have been polled by now."""
        return await self._read(_OVERDUE, at=now)

    async def deferred(self) -> QueueDepth:
        """Return the deferred notifications."""
        return await self._read(_DEFERRED)

    async def _read(self, statement: Executable, **bound: Any) -> QueueDepth:
        count, since = (await self._connection.execute(statement, bound)).one()
        return QueueDepth(count, since)
