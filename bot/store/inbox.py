"""The inbox: what Slack asked and is not yet answered. A lease says who answers it now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, select, update

# PostgreSQL's insert compiles to the very same ON CONFLICT on SQLite; the contract suite holds it.
from sqlalchemy.dialects.postgresql import insert

from bot import sabotage
from bot.store.records import Question
from bot.store.tables import inbox

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection
    from sqlalchemy.sql.dml import ReturningUpdate

_OPEN = inbox.c.closed_at.is_(None)
_QUESTION = (
    inbox.c.id,
    inbox.c.workspace,
    inbox.c.key,
    inbox.c.kind,
    inbox.c.body,
    inbox.c.received_at,
    inbox.c.attempts,
)

_ADD = (
    insert(inbox)
    .on_conflict_do_nothing(index_elements=[inbox.c.workspace, inbox.c.key])
    .returning(inbox.c.id)
)


def _claim(*which: ColumnElement[bool]) -> ReturningUpdate[Any]:
    """Claim the oldest of the open questions whose lease is over.

    A common table expression: PostgreSQL might run a subquery twice, and lock too many rows.
    """
    waiting = (
        select(inbox.c.id)
        .where(_OPEN, inbox.c.lease_until <= bindparam("at"), *which)
        .order_by(inbox.c.received_at, inbox.c.id)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
        .cte("waiting")
    )
    return (
        update(inbox)
        .where(inbox.c.id.in_(select(waiting.c.id)))
        .values(attempts=inbox.c.attempts + 1, lease_until=bindparam("until"))
        .returning(*_QUESTION)
    )


_CLAIM = _claim()
_CLAIM_ONE = _claim(inbox.c.id == bindparam("only"))
_CLOSE = (
    update(inbox).where(_OPEN, inbox.c.id == bindparam("row")).values(closed_at=bindparam("at"))
)
_RELEASE = (
    update(inbox)
    .where(_OPEN, inbox.c.id == bindparam("row"))
    .values(lease_until=bindparam("until"))
)
_REOPEN = (
    update(inbox)
    .where(_OPEN, inbox.c.lease_until > bindparam("at"))
    .values(lease_until=bindparam("at"))
)
_NEXT_DUE = select(func.min(inbox.c.lease_until)).where(_OPEN)
_PRUNE = delete(inbox).where(inbox.c.closed_at < bindparam("before"))
_BACKLOG = select(func.count(), func.min(inbox.c.received_at)).where(
    _OPEN, inbox.c.lease_until <= bindparam("at")
)


class Inbox:
    """The questions, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(
        self,
        *,
        workspace: str,
        key: str,
        kind: str,
        body: dict[str, Any],
        now: datetime,
        lease_until: datetime,
    ) -> int | None:
        """Write a question down and return its id, or None if its key is known already."""
        row = {
            "workspace": workspace,
            "key": sabotage.key(key),
            "kind": kind,
            "body": body,
            "received_at": now,
            "attempts": 0,
            "lease_until": lease_until,
        }
        added: int | None = (await self._connection.execute(_ADD, row)).scalar()
        return added

    async def claim(
        self,
        *,
        now: datetime,
        lease_until: datetime,
        limit: int,
        id: int | None = None,  # noqa: A002  the column's own name
    ) -> list[Question]:
        """Take open questions whose lease is over, oldest first, for as long as the new lease."""
        bound: dict[str, Any] = {"at": now, "until": lease_until, "most": limit}
        if id is None:
            rows = await self._connection.execute(_CLAIM, bound)
        else:
            rows = await self._connection.execute(_CLAIM_ONE, bound | {"only": id})
        return sorted((Question(*row) for row in rows), key=lambda q: (q.received_at, q.id))

    async def close(self, question_id: int, now: datetime) -> bool:
        """Note that a question is answered; False: somebody else has answered it."""
        closed = await self._connection.execute(_CLOSE, {"row": question_id, "at": now})
        return closed.rowcount == 1

    async def release(self, question_id: int, until: datetime) -> None:
        """Give an open question back: it may be claimed again from then on."""
        await self._connection.execute(_RELEASE, {"row": question_id, "until": until})

    async def reopen(self, now: datetime) -> None:
        """End every lease now; for the start of a store that nobody else can have open."""
        await self._connection.execute(_REOPEN, {"at": now})

    async def next_due(self) -> datetime | None:
        """Return when the first lease of an open question ends."""
        first: datetime | None = (await self._connection.execute(_NEXT_DUE)).scalar()
        return first

    async def prune(self, before: datetime) -> int:
        """Forget the questions that were closed before then; return how many."""
        return (await self._connection.execute(_PRUNE, {"before": before})).rowcount

    async def backlog(self, now: datetime) -> tuple[int, datetime | None]:
        """Return how many questions nobody holds, and when the oldest of them came."""
        count, oldest = (await self._connection.execute(_BACKLOG, {"at": now})).one()
        return count, oldest
