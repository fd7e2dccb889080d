"""Decision log: how each event was delivered in which channel, and why."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert  # compiles on SQLite as well: see inbox.py

from bot.sdk.models import JobRef
from bot.store.records import DecisionRecord, DeliveryAction, EventKind, MessageKind, SentMessage
from bot.store.tables import DEFERRED, decisions, outbox, watches

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import Executable
    from sqlalchemy.ext.asyncio import AsyncConnection

_NAMES = (*(f.name for f in fields(DecisionRecord) if f.name != "ref"), "connection", "job_id")
_COLUMNS = tuple(decisions.c[name] for name in _NAMES)
_THIS_CHANNEL = (
    decisions.c.workspace == bindparam("in_workspace"),
    decisions.c.channel == bindparam("in_channel"),
)
_THIS = (
    decisions.c.workspace == bindparam("in_workspace"),
    decisions.c.idempotency_key == bindparam("of_key"),
)
_ADD = (
    insert(decisions)
    .on_conflict_do_nothing(index_elements=[decisions.c.workspace, decisions.c.idempotency_key])
    .returning(decisions.c.id)
)
_GET = select(*_COLUMNS).where(*_THIS)
_COUNT_POSTED = select(func.count()).where(
    *_THIS_CHANNEL,
    decisions.c.decided_at > bindparam("since"),
    decisions.c.action == DeliveryAction.POST,
)
_LAST_OUTCOME = (
    select(decisions.c.failed)
    .where(
        *_THIS_CHANNEL,
        decisions.c.series == bindparam("of_series"),
        decisions.c.connection == bindparam("of_connection"),
        decisions.c.event_kind.in_([EventKind.OUTCOME, EventKind.RUN]),
    )
    .order_by(decisions.c.id.desc())
    .limit(1)
)
_DEFERRED = select(*_COLUMNS).where(DEFERRED).order_by(decisions.c.id)
_DEFERRED_IN_CHANNEL = _DEFERRED.where(*_THIS_CHANNEL)
# Locked: the second of two processes finds no rows, and then the digest of the first.
_DUE_IN_CHANNEL = _DEFERRED_IN_CHANNEL.where(
    decisions.c.deferred_until <= bindparam("now")
).with_for_update()
_CHANNELS = select(decisions.c.workspace, decisions.c.channel).where(DEFERRED).distinct()
_CHANNELS_DUE = _CHANNELS.where(decisions.c.deferred_until <= bindparam("now"))
_NEXT_DUE = select(func.min(decisions.c.deferred_until)).where(DEFERRED)
_OF_WATCH = (
    select(*_COLUMNS)
    .where(decisions.c.watch_id == bindparam("of_watch"))
    .order_by(decisions.c.id.desc())
    .limit(bindparam("most"))
)
_OF_BOARD = (
    select(*_COLUMNS).where(decisions.c.board_id == bindparam("of_board")).order_by(decisions.c.id)
)
_SINCE = (
    select(*_COLUMNS)
    .where(*_THIS_CHANNEL, decisions.c.decided_at >= bindparam("since"))
    .order_by(decisions.c.id)
)
_OF_JOB = (
    select(*_COLUMNS)
    .where(
        # Through its watches: `watch_id` has an index.
        decisions.c.watch_id.in_(
            select(watches.c.id).where(
                watches.c.workspace == bindparam("in_workspace"),
                watches.c.channel == bindparam("in_channel"),
                watches.c.connection == bindparam("of_connection"),
                watches.c.job_id == bindparam("of_job"),
            )
        )
    )
    .order_by(decisions.c.deferred_until.is_(None), decisions.c.id.desc())
    .limit(bindparam("most"))
)
_LAST_OUTCOME_IDS = (
    select(func.max(decisions.c.id))
    .where(
        *_THIS_CHANNEL,
        decisions.c.decided_at < bindparam("before"),
        decisions.c.event_kind.in_([EventKind.OUTCOME, EventKind.RUN]),
    )
    .group_by(decisions.c.connection, decisions.c.name)
)
_LAST_OUTCOMES = select(decisions.c.connection, decisions.c.name, decisions.c.failed).where(
    decisions.c.id.in_(_LAST_OUTCOME_IDS)
)
_WITH_REACTIONS = select(watches.c.id).where(
    watches.c.request_ts.is_not(None),
    watches.c.id.in_(
        select(decisions.c.watch_id).where(
            *_THIS_CHANNEL, decisions.c.decided_at >= bindparam("since")
        )
    ),
)
_SENT = (
    select(
        outbox.c.idempotency_key,
        outbox.c.reason,
        outbox.c.watch_id,
        outbox.c.board_id,
        outbox.c.creates_card,
        outbox.c.body,
    )
    .where(
        outbox.c.workspace == bindparam("in_workspace"),
        outbox.c.channel == bindparam("in_channel"),
        outbox.c.sent_ts == bindparam("ts"),
        outbox.c.kind == MessageKind.POST,
    )
    .limit(1)
)
_REDECIDE = (
    update(decisions)
    .where(*_THIS, DEFERRED)
    .values(
        action=bindparam("does", type_=decisions.c.action.type),
        rule=bindparam("by_rule"),
        reason=bindparam("why"),
        deferred_until=bindparam("deferred_to", type_=decisions.c.deferred_until.type),
        board_id=bindparam("of_board"),
        decided_at=bindparam("when", type_=decisions.c.decided_at.type),
    )
)
_RETURN_TO_DEFERRED = (
    update(decisions)
    .where(
        decisions.c.board_id == bindparam("of_board"),
        decisions.c.idempotency_key.not_in(bindparam("but", expanding=True)),
    )
    .values(deferred_until=bindparam("now", type_=decisions.c.deferred_until.type), board_id=None)
)
_PRUNE = delete(decisions).where(
    decisions.c.decided_at < bindparam("before"), decisions.c.deferred_until.is_(None)
)


_SENT_NAMES = ("idempotency_key", "reason", "watch_id", "board_id", "creates_card")


def _record(row: Sequence[Any]) -> DecisionRecord:
    values = dict(zip(_NAMES, row, strict=True))
    ref = JobRef.model_construct(connection=values.pop("connection"), id=values.pop("job_id"))
    return DecisionRecord(ref=ref, **values)


class Decisions:
    """The decision log, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, decision: DecisionRecord) -> bool:
        """Store a decision; return False if its key is known."""
        row = {f.name: getattr(decision, f.name) for f in fields(decision)}
        ref = row.pop("ref")
        row |= {"connection": ref.connection, "job_id": ref.id}
        return (await self._connection.execute(_ADD, row)).scalar() is not None

    async def get(self, workspace: str, key: str) -> DecisionRecord | None:
        """Return the decision with this key."""
        found = await self._all(_GET, in_workspace=workspace, of_key=key)
        return found[0] if found else None

    async def count_posted(self, workspace: str, channel: str, since: datetime) -> int:
        """Return the number of thread replies that were posted in a channel after then."""
        bound = {"in_workspace": workspace, "in_channel": channel, "since": since}
        return (await self._connection.execute(_COUNT_POSTED, bound)).scalar_one()

    async def last_failed(self, workspace: str, channel: str, connection: str, series: str) -> bool:
        """Return whether the last job of the series that ended in this channel failed."""
        bound = {
            "in_workspace": workspace,
            "in_channel": channel,
            "of_connection": connection,
            "of_series": series,
        }
        return bool((await self._connection.execute(_LAST_OUTCOME, bound)).scalar())

    async def deferred(self, workspace: str, channel: str) -> list[DecisionRecord]:
        """Return the deferred decisions of a channel, oldest first."""
        return await self._all(_DEFERRED_IN_CHANNEL, in_workspace=workspace, in_channel=channel)

    async def due(self, workspace: str, channel: str, now: datetime) -> list[DecisionRecord]:
        """Return the deferred decisions of a channel that are due, oldest first.

        Their rows are locked until the transaction ends.
        """
        return await self._all(_DUE_IN_CHANNEL, in_workspace=workspace, in_channel=channel, now=now)

    async def channels_with_deferred(self) -> list[tuple[str, str]]:
        """Return the workspaces and channels that have deferred decisions."""
        return [(row[0], row[1]) for row in await self._connection.execute(_CHANNELS)]

    async def channels_with_due(self, now: datetime) -> list[tuple[str, str]]:
        """Return the workspaces and channels that have due decisions."""
        return [(r[0], r[1]) for r in await self._connection.execute(_CHANNELS_DUE, {"now": now})]

    async def next_due(self) -> datetime | None:
        """Return when the next deferred decision is due."""
        moment: datetime | None = (await self._connection.execute(_NEXT_DUE)).scalar()
        return moment

    async def of_watch(self, watch_id: str, limit: int) -> list[DecisionRecord]:
        """Return the newest decisions about a watch, the newest first."""
        return await self._all(_OF_WATCH, of_watch=watch_id, most=limit)

    async def of_job(
        self, workspace: str, channel: str, ref: JobRef, limit: int
    ) -> list[DecisionRecord]:
        """Return decisions about a job in a channel: deferred ones, then the newest first."""
        return await self._all(
            _OF_JOB,
            in_workspace=workspace,
            in_channel=channel,
            of_connection=ref.connection,
            of_job=ref.id,
            most=limit,
        )

    async def of_board(self, board_id: str) -> list[DecisionRecord]:
        """Return the decisions in a digest, oldest first."""
        return await self._all(_OF_BOARD, of_board=board_id)

    async def since(self, workspace: str, channel: str, then: datetime) -> list[DecisionRecord]:
        """Return all decisions of a channel since then, oldest first."""
        return await self._all(_SINCE, in_workspace=workspace, in_channel=channel, since=then)

    async def last_outcomes(
        self, workspace: str, channel: str, before: datetime
    ) -> dict[tuple[str, str], bool]:
        """Return by connection and name whether the last job that ended before then failed."""
        bound = {"in_workspace": workspace, "in_channel": channel, "before": before}
        rows = await self._connection.execute(_LAST_OUTCOMES, bound)
        return {(row.connection, row.name): row.failed for row in rows}

    async def watches_with_reactions(
        self, workspace: str, channel: str, since: datetime
    ) -> frozenset[str]:
        """Return the watches with decisions since then that are shown as reactions."""
        bound = {"in_workspace": workspace, "in_channel": channel, "since": since}
        return frozenset((await self._connection.execute(_WITH_REACTIONS, bound)).scalars())

    async def sent_message(self, workspace: str, channel: str, ts: str) -> SentMessage | None:
        """Return the bot's message with this timestamp."""
        bound = {"in_workspace": workspace, "in_channel": channel, "ts": ts}
        row = (await self._connection.execute(_SENT, bound)).one_or_none()
        if row is None:
            return None
        *known, body = row
        broadcast, coalesced = (bool((body or {}).get(name)) for name in ("broadcast", "items"))
        return SentMessage(
            **dict(zip(_SENT_NAMES, known, strict=True)), broadcast=broadcast, coalesced=coalesced
        )

    async def redecide(self, decision: DecisionRecord) -> bool:
        """Replace a deferred decision; return False if it is no longer deferred."""
        bound = {
            "in_workspace": decision.workspace,
            "of_key": decision.idempotency_key,
            "does": decision.action,
            "by_rule": decision.rule,
            "why": decision.reason,
            "deferred_to": decision.deferred_until,
            "of_board": decision.board_id,
            "when": decision.decided_at,
        }
        return (await self._connection.execute(_REDECIDE, bound)).rowcount == 1

    async def return_to_deferred(
        self, board_id: str, except_keys: Collection[str], now: datetime
    ) -> int:
        """Defer a digest's decisions again, due now, except these keys; return how many."""
        bound = {"of_board": board_id, "but": list(except_keys), "now": now}
        return (await self._connection.execute(_RETURN_TO_DEFERRED, bound)).rowcount

    async def prune(self, before: datetime) -> int:
        """Delete decisions from before then that are not deferred; return how many."""
        return (await self._connection.execute(_PRUNE, {"before": before})).rowcount

    async def _all(self, statement: Executable, **bound: Any) -> list[DecisionRecord]:
        return [_record(row) for row in await self._connection.execute(statement, bound)]
