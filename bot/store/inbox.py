"""Inbox: requests that are not answered yet, leased to the process that handles them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, select, update

# PostgreSQL's insert compiles to the same ON CONFLICT on SQLite; the tests run on both.
from sqlalchemy.dialects.postgresql import insert

from bot.store.records import InboxItem
from bot.store.tables import inbox

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection
    from sqlalchemy.sql.dml import ReturningUpdate

_OPEN = inbox.c.closed_at.is_(None)
_COLUMNS = (
    inbox.c.id,
    inbox.c.workspace,
    inbox.c.idempotency_key,
    inbox.c.kind,
    inbox.c.body,
    inbox.c.received_at,
    inbox.c.attempts,
)

_ADD = (
    insert(inbox)
    .on_conflict_do_nothing(index_elements=[inbox.c.workspace, inbox.c.idempotency_key])
    .returning(inbox.c.id)
)


def _claim(*which: ColumnElement[bool]) -> ReturningUpdate[Any]:
    """Build the statement that claims the oldest open requests whose lease has expired.

    It uses a common table expression: PostgreSQL may run a subquery twice and lock too many rows.
    """
    expired = (
        select(inbox.c.id)
        .where(_OPEN, inbox.c.lease_until <= bindparam("at"), *which)
        .order_by(inbox.c.received_at, inbox.c.id)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
        .cte("expired")
    )
    return (
        update(inbox)
        .where(inbox.c.id.in_(select(expired.c.id)))
        .values(attempts=inbox.c.attempts + 1, lease_until=bindparam("until"))
        .returning(*_COLUMNS)
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
    """The inbox, within one transaction."""

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
        """Store a request and return its id, or None if its key is known."""
        row = {
            "workspace": workspace,
            "idempotency_key": key,
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
    ) -> list[InboxItem]:
        """Lease open requests whose lease has expired, oldest first."""
        bound: dict[str, Any] = {"at": now, "until": lease_until, "most": limit}
        if id is None:
            rows = await self._connection.execute(_CLAIM, bound)
        else:
            rows = await self._connection.execute(_CLAIM_ONE, bound | {"only": id})
        return sorted(
            (InboxItem(*row) for row in rows), key=lambda item: (item.received_at, item.id)
        )

    async def close(self, item_id: int, now: datetime) -> bool:
        """Mark a request as answered; return False if it was already."""
        closed = await self._connection.execute(_CLOSE, {"row": item_id, "at": now})
        return closed.rowcount == 1

    async def release(self, item_id: int, until: datetime) -> None:
        """Release an open request: it can be claimed again from then on."""
        await self._connection.execute(_RELEASE, {"row": item_id, "until": until})

    async def expire_leases(self, now: datetime) -> None:
        """Expire all leases; only at the start of a store that no other process has open."""
        await self._connection.execute(_REOPEN, {"at": now})

    async def next_due(self) -> datetime | None:
        """Return when the first lease of an open request expires."""
        first: datetime | None = (await self._connection.execute(_NEXT_DUE)).scalar()
        return first

    async def prune(self, before: datetime) -> int:
        """Delete the requests closed before then; return how many."""
        return (await self._connection.execute(_PRUNE, {"before": before})).rowcount

    async def backlog(self, now: datetime) -> tuple[int, datetime | None]:
        """Return the number of open requests without a lease, and when the oldest came."""
        count, oldest = (await self._connection.execute(_BACKLOG, {"at": now})).one()
        return count, oldest
