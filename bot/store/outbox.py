"""Outbox: messages to send, in the order of each ordering key.

Only the next message of an ordering key, its oldest unsent one, can be claimed.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    and_,
    bindparam,
    case,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert  # compiles on SQLite as well: see inbox.py

from bot.store import outbox_claims, outbox_queries
from bot.store.records import Claim, MessageKind, MessageState, NewMessage, OutboxMessage, lane_of
from bot.store.tables import UNSENT, boards, outbox, watches

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from sqlalchemy import Row, Update
    from sqlalchemy.ext.asyncio import AsyncConnection

_NEW = insert(outbox)
_KEY = [outbox.c.workspace, outbox.c.idempotency_key]
_ADD = _NEW.on_conflict_do_nothing(index_elements=_KEY).returning(outbox.c.id)
_REPLACE = _NEW.on_conflict_do_update(
    index_elements=_KEY,
    set_={
        "body": _NEW.excluded.body,
        "has_target": _NEW.excluded.has_target,
        "urgent": _NEW.excluded.urgent,
        "reason": _NEW.excluded.reason,
        "version": outbox.c.version + 1,
        # Never later than before: a stream of changes must not postpone it for ever.
        "due_at": case(
            (and_(outbox_queries.READY, outbox.c.due_at < _NEW.excluded.due_at), outbox.c.due_at),
            else_=_NEW.excluded.due_at,
        ),
        "state": case((outbox_queries.SENDING, outbox.c.state), else_=_NEW.excluded.state),
        "attempts": case((outbox_queries.SENDING, outbox.c.attempts), else_=0),
        "error": "",
        "settled_at": None,
        # Its age: a new body for a message that was sent starts at zero.
        "created_at": case((UNSENT, outbox.c.created_at), else_=_NEW.excluded.created_at),
    },
)
_SET_CARD_TS = (
    update(watches)
    .where(watches.c.id == bindparam("row"))
    .values(card_ts=bindparam("ts"))
    .returning(watches.c.board_id)
)
_SET_BOARD_TS = (
    update(boards).where(boards.c.id == bindparam("row")).values(message_ts=bindparam("ts"))
)
_SET_BOARD_CARDS = (
    update(watches).where(watches.c.board_id == bindparam("row")).values(card_ts=bindparam("ts"))
)
_LATER_IN_THREAD = (
    select(*outbox_queries.OUTBOX_COLUMNS)
    .where(
        outbox_queries.READY,
        outbox.c.workspace == bindparam("in_workspace"),
        outbox.c.ordering_key == bindparam("of_thread"),
        outbox.c.watch_id == bindparam("of_watch"),
        outbox.c.id > bindparam("row"),
    )
    .order_by(outbox.c.id)
    .with_for_update()
)
_ABSORB = (
    update(outbox)
    .where(outbox_queries.READY, outbox.c.id.in_(bindparam("rows", expanding=True)))
    .values(state=MessageState.DROPPED, settled_at=bindparam("at"), error=bindparam("why"))
)
_MAKE_URGENT = (
    update(outbox)
    .where(
        UNSENT,
        ~outbox.c.urgent,
        outbox.c.workspace == bindparam("in_workspace"),
        outbox.c.ordering_key == bindparam("of_thread"),
    )
    .values(urgent=True)
)
_BODY = select(outbox.c.body).where(
    outbox.c.workspace == bindparam("in_workspace"), outbox.c.idempotency_key == bindparam("of_key")
)
_PRUNE = delete(outbox).where(outbox.c.settled_at < bindparam("before"))
_BACKLOG = select(func.count(), func.min(outbox.c.created_at)).where(UNSENT, outbox_queries.IS_DUE)


def _row(message: NewMessage, now: datetime) -> dict[str, Any]:
    """Return the row of a new message."""
    row = {field.name: getattr(message, field.name) for field in fields(NewMessage)}
    return row | {
        "lane": lane_of(message.workspace, message.channel),
        "has_target": message.kind is not MessageKind.UPDATE or "ts" in message.body,
        "state": MessageState.READY,
        "version": 1,
        "attempts": 0,
        "unconfirmed": False,
        "error": "",
        "created_at": now,
    }


def _records(rows: Iterable[Row[Any]]) -> list[OutboxMessage]:
    """Build the records: posts before card updates, urgent ones first."""
    messages = (OutboxMessage(**row._mapping) for row in rows)  # noqa: SLF001  SQLAlchemy's public name
    return sorted(messages, key=lambda m: (m.kind is MessageKind.UPDATE, not m.urgent, m.id))


def _lane_params(lanes: tuple[int, int]) -> dict[str, Any]:
    return {"lane_no": lanes[0], "lanes": lanes[1]}


class Outbox:
    """The outbox, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, messages: Iterable[NewMessage], now: datetime) -> int:
        """Store messages in their order; return how many had a new key.

        An urgent message makes the unsent messages before it in its thread urgent, too.
        """
        rows = [_row(message, now) for message in messages]
        if not rows:
            return 0
        added = len((await self._connection.execute(_ADD, rows)).all())
        for row in rows:
            if row["urgent"] and added:
                bound = {"in_workspace": row["workspace"], "of_thread": row["ordering_key"]}
                await self._connection.execute(_MAKE_URGENT, bound)
        return added

    async def add_claimed(
        self, message: NewMessage, claim: Claim, now: datetime
    ) -> OutboxMessage | None:
        """Store the first message of a thread as claimed; return None if its key is known.

        The caller sends it after the commit, without waiting for a tick of the dispatcher.
        """
        claimed = {"attempts": 1, "deadline": claim.deadline, "reclaim_at": claim.reclaim_at}
        row = _row(message, now) | claimed | {"state": MessageState.SENDING}
        id_ = (await self._connection.execute(_ADD, row)).scalar()
        columns = {name: value for name, value in row.items() if name != "has_target"}
        return None if id_ is None else OutboxMessage(id=id_, **columns)

    async def replace(self, message: NewMessage, now: datetime) -> None:
        """Store a message, or a newer body for the message with its key.

        A message in flight stays claimed and becomes ready again when its claim ends.
        """
        await self._connection.execute(_REPLACE, _row(message, now))

    async def due(
        self, *, lanes: tuple[int, int], now: datetime, limit: int, cards: bool = True
    ) -> list[OutboxMessage]:
        """Return the next messages to send now in lane k of n: posts, then card updates.

        Urgent ones come first. Messages that can be reclaimed are included; updates whose target is
        not known yet are not. Only messages that must be looked up have a body.
        """
        bound = _lane_params(lanes) | {"at": now, "most": limit, "cards": cards}
        return _records(await self._connection.execute(outbox_queries.SELECT_DUE, bound))

    async def next_due(self, lanes: tuple[int, int], now: datetime) -> datetime | None:
        """Return when the next message of lane k of n can be claimed, at the earliest now."""
        first = (
            await self._connection.execute(outbox_queries.NEXT_DUE, _lane_params(lanes))
        ).scalar()
        return None if first is None else max(first, now)

    async def next_later(self, lanes: tuple[int, int], now: datetime) -> datetime | None:
        """Return the same time, for messages that are not due yet."""
        bound = _lane_params(lanes) | {"at": now}
        later: datetime | None = (
            await self._connection.execute(outbox_queries.NEXT_LATER, bound)
        ).scalar()
        return later

    async def claim(
        self, ids: Collection[int], *, now: datetime, deadline: datetime, reclaim_at: datetime
    ) -> list[OutboxMessage]:
        """Claim these messages if still next and due; a reclaimed one is unconfirmed."""
        bound = {"rows": list(ids), "at": now, "until": deadline, "reclaimable_at": reclaim_at}
        claimed = list((await self._connection.execute(outbox_queries.CLAIM, bound)).scalars())
        if not claimed:
            return []
        return _records(await self._connection.execute(outbox_queries.BY_IDS, {"rows": claimed}))

    async def mark_sent(self, message: OutboxMessage, *, ts: str | None, now: datetime) -> bool:
        """Record that Slack has our message; return False if the claim is no longer ours."""
        ours = await self._end_claim(outbox_claims.SENT, message, ts=ts, error="", now=now)
        if ours and message.creates_card and ts is not None:
            await self._set_card_ts(message, ts)
        return ours

    async def _set_card_ts(self, message: OutboxMessage, ts: str) -> None:
        """Store the card's timestamp: in one watch, or in a board and all its watches.

        A card can become a board while it is in flight.
        """
        board_id = message.board_id
        if board_id is None:
            rooted = await self._connection.execute(
                _SET_CARD_TS, {"row": message.watch_id, "ts": ts}
            )
            board_id = rooted.scalar()
        if board_id is not None:
            for statement in (_SET_BOARD_TS, _SET_BOARD_CARDS):
                await self._connection.execute(statement, {"row": board_id, "ts": ts})

    async def postpone(
        self,
        message: OutboxMessage,
        *,
        due_at: datetime,
        unconfirmed: bool,
        error: str,
        now: datetime,
    ) -> bool:
        """Release our claim until then, at the earliest now; return False if it is not ours."""
        bound = outbox_claims.claim_params(message) | {
            "later": max(due_at, now),
            "is_unconfirmed": unconfirmed,
            "why": error,
        }
        return (await self._connection.execute(outbox_claims.POSTPONE, bound)).rowcount == 1

    async def later_in_thread(self, message: OutboxMessage) -> list[OutboxMessage]:
        """Return the later ready messages of its watch and thread, in order."""
        bound = {
            "in_workspace": message.workspace,
            "of_thread": message.ordering_key,
            "of_watch": message.watch_id,
            "row": message.id,
        }
        rows = await self._connection.execute(_LATER_IN_THREAD, bound)
        return [OutboxMessage(**row._mapping) for row in rows]  # noqa: SLF001  SQLAlchemy's public name

    async def absorb(
        self,
        message: OutboxMessage,
        body: dict[str, Any],
        others: Collection[OutboxMessage],
        now: datetime,
    ) -> bool:
        """Move what other messages say into ours; return False if the claim is not ours."""
        bound = outbox_claims.claim_params(message) | {"new_body": body}
        if (await self._connection.execute(outbox_claims.SET_BODY, bound)).rowcount != 1:
            return False
        dropped = {
            "rows": [other.id for other in others],
            "at": now,
            "why": f"coalesced into {message.idempotency_key}",
        }
        await self._connection.execute(_ABSORB, dropped)
        return True

    async def dead_letter(self, message: OutboxMessage, *, error: str, now: datetime) -> bool:
        """Make our message a dead letter; return False if the claim is no longer ours."""
        return await self._end_claim(
            outbox_claims.DEAD_LETTER, message, ts=None, error=error, now=now
        )

    async def dead_letter_thread(
        self, workspace: str, thread: str, error: str, now: datetime
    ) -> int:
        """Make all unsent messages of a thread dead letters, claimed ones too; return how many."""
        bound = {"in_workspace": workspace, "of_thread": thread, "why": error, "at": now}
        return (await self._connection.execute(outbox_claims.DEAD_LETTER_THREAD, bound)).rowcount

    async def drop_thread(self, workspace: str, thread: str, error: str, now: datetime) -> int:
        """Drop all unsent messages of a thread, claimed ones too; return how many."""
        bound = {"in_workspace": workspace, "of_thread": thread, "why": error, "at": now}
        return (await self._connection.execute(outbox_claims.DROP_THREAD, bound)).rowcount

    async def latest_body(self, workspace: str, key: str) -> dict[str, Any] | None:
        """Return the latest body of a message in any state, or None if its key is unknown."""
        bound = {"in_workspace": workspace, "of_key": key}
        body: dict[str, Any] | None = (await self._connection.execute(_BODY, bound)).scalar()
        return body

    async def expire_claims(self, reclaim_at: datetime) -> int:
        """Let every claim be reclaimed from then on; return how many.

        Only at the start of a store that no other process has open: the claims are of dead
        processes.
        """
        return (
            await self._connection.execute(outbox_claims.EXPIRE, {"from_then": reclaim_at})
        ).rowcount

    async def prune(self, before: datetime) -> int:
        """Delete messages sent, rejected or dropped before then; return how many."""
        return (await self._connection.execute(_PRUNE, {"before": before})).rowcount

    async def backlog(self, now: datetime) -> tuple[int, datetime | None]:
        """Return how many messages are due, and when the oldest of them was stored."""
        count, oldest = (await self._connection.execute(_BACKLOG, {"at": now})).one()
        return count, oldest

    async def _end_claim(
        self,
        statement: Update,
        message: OutboxMessage,
        *,
        ts: str | None,
        error: str,
        now: datetime,
    ) -> bool:
        bound = outbox_claims.claim_params(message) | {
            "at_version": message.version,
            "ts": ts,
            "why": error,
            "at": now,
        }
        return (await self._connection.execute(statement, bound)).rowcount == 1
