"""How much waits in the tables, and since when: for whoever wants to know how far behind we are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from bot.store.tables import AWAKE, HELD, PARKED, UNSENT, decisions, inbox, jobs, outbox

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Executable
    from sqlalchemy.ext.asyncio import AsyncConnection

_OPEN = select(func.count(), func.min(inbox.c.received_at)).where(inbox.c.closed_at.is_(None))
_UNSENT = select(func.count(), func.min(outbox.c.created_at)).where(UNSENT)
_PARKED = select(func.count(), func.min(outbox.c.settled_at)).where(PARKED)
_OVERDUE = select(func.count(), func.min(jobs.c.due_at)).where(
    AWAKE, jobs.c.due_at <= bindparam("at")
)
_HELD = select(func.count(), func.min(decisions.c.at)).where(HELD)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many of something wait, and since when the first of them does."""

    count: int
    since: datetime | None  # None: nothing waits


class Gauges:
    """What waits, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def questions(self) -> Waiting:
        """Return the questions that are not answered yet."""
        return await self._read(_OPEN)

    async def messages(self) -> Waiting:
        """Return the messages that are not known to be posted yet."""
        return await self._read(_UNSENT)

    async def parked(self) -> Waiting:
        """Return the messages that Slack refused for good."""
        return await self._read(_PARKED)

    async def overdue(self, now: datetime) -> Waiting:
        """Return the jobs that should have been looked at by now."""
        return await self._read(_OVERDUE, at=now)

    async def held(self) -> Waiting:
        """Return the news that is told later."""
        return await self._read(_HELD)

    async def _read(self, statement: Executable, **bound: Any) -> Waiting:
        count, since = (await self._connection.execute(statement, bound)).one()
        return Waiting(count, since)
