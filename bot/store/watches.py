"""Watches: which job is followed in which thread.

A watch is open while it is active or unreachable.
"""

from __future__ import annotations

from dataclasses import fields
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert  # compiles on SQLite as well: see inbox.py

from bot.sdk.models import JobRef
from bot.store.jobs import JOB_COLUMNS, job_from_row
from bot.store.records import Watch, WatchedJob, WatchState
from bot.store.tables import ACTIVE, NOT_ENDED, jobs, watches

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Row, Select
    from sqlalchemy.ext.asyncio import AsyncConnection

WATCH_COLUMNS = (
    watches.c.id,
    watches.c.workspace,
    watches.c.channel,
    watches.c.thread_ts,
    watches.c.card_ts,
    watches.c.connection,
    watches.c.job_id,
    watches.c.asker,
    watches.c.requested_at,
    watches.c.state,
    watches.c.ended_at,
    watches.c.reason,
    watches.c.board_id,
    watches.c.request_ts,
)
_THIS_CHANNEL = (
    watches.c.workspace == bindparam("in_workspace"),
    watches.c.channel == bindparam("in_channel"),
)
_JOB_OF_WATCH = (
    (jobs.c.workspace == watches.c.workspace)
    & (jobs.c.connection == watches.c.connection)
    & (jobs.c.job_id == watches.c.job_id)
)

_ADD = insert(watches).on_conflict_do_nothing().returning(watches.c.id)
_FIND = select(*WATCH_COLUMNS).where(
    NOT_ENDED,
    *_THIS_CHANNEL,
    watches.c.connection == bindparam("of_connection"),
    watches.c.job_id == bindparam("of_job"),
)
_GET = select(*WATCH_COLUMNS).where(watches.c.id == bindparam("row"))
_GET_MANY = select(*WATCH_COLUMNS).where(watches.c.id.in_(bindparam("rows", expanding=True)))
_BY_CARD = (
    select(*WATCH_COLUMNS)
    .where(*_THIS_CHANNEL, watches.c.card_ts == bindparam("ts"))
    .order_by(watches.c.requested_at.desc())
    .limit(1)
)
_LATEST = (
    select(*WATCH_COLUMNS)
    .where(
        *_THIS_CHANNEL,
        watches.c.connection == bindparam("of_connection"),
        watches.c.job_id == bindparam("of_job"),
    )
    .order_by(watches.c.requested_at.desc())
    .limit(1)
)
_REQUESTED = (
    select(*WATCH_COLUMNS)
    .where(*_THIS_CHANNEL, watches.c.requested_at >= bindparam("since"))
    .order_by(watches.c.requested_at, watches.c.id)
)
_IN_CHANNEL = (
    select(*WATCH_COLUMNS, *JOB_COLUMNS)
    .join_from(watches, jobs, _JOB_OF_WATCH)
    .where(NOT_ENDED, *_THIS_CHANNEL)
    .order_by(watches.c.requested_at, watches.c.id)
)
_OF_JOBS: Select[Any] = (
    select(*WATCH_COLUMNS)
    .where(
        ACTIVE,
        watches.c.workspace == bindparam("in_workspace"),
        watches.c.connection == bindparam("of_connection"),
        watches.c.job_id.in_(bindparam("of_jobs", expanding=True)),
    )
    .order_by(watches.c.requested_at, watches.c.id)
)
_OF_BOARD = (
    select(*WATCH_COLUMNS, *JOB_COLUMNS)
    .join_from(watches, jobs, _JOB_OF_WATCH)
    .where(watches.c.board_id == bindparam("of_board"))
    .order_by(watches.c.requested_at, watches.c.id)
)
_OPEN = (
    select(*WATCH_COLUMNS)
    .where(
        watches.c.state.in_([WatchState.ACTIVE, WatchState.UNREACHABLE]),
        or_(
            bindparam("only", type_=watches.c.channel.type).is_(None),
            watches.c.channel == bindparam("only"),
        ),
    )
    .order_by(watches.c.requested_at, watches.c.id)
)


def _select_newest(*where: ColumnElement[bool]) -> Select[Any]:
    """Select the last requested job of each connection; skip jobs that were not found."""
    last = func.row_number().over(
        partition_by=watches.c.connection, order_by=(watches.c.requested_at.desc(), watches.c.id)
    )
    ranked = (
        select(watches.c.connection, watches.c.job_id, watches.c.requested_at, last.label("place"))
        .join_from(
            watches,
            jobs,
            (jobs.c.workspace == watches.c.workspace)
            & (jobs.c.connection == watches.c.connection)
            & (jobs.c.job_id == watches.c.job_id),
        )
        .where(*where, jobs.c.snapshot.is_not(None), jobs.c.failures >= 0)
        .subquery()
    )
    return (
        select(ranked.c.connection, ranked.c.job_id)
        .where(ranked.c.place == 1)
        .order_by(ranked.c.requested_at.desc(), ranked.c.connection)
    )


_NEWEST_IN_CHANNEL, _NEWEST = _select_newest(*_THIS_CHANNEL), _select_newest(_THIS_CHANNEL[0])
_SET_CARD_TS = (
    update(watches).where(watches.c.id == bindparam("row")).values(card_ts=bindparam("ts"))
)
_END = (
    update(watches)
    .where(NOT_ENDED, watches.c.id.in_(bindparam("rows", expanding=True)))
    .values(state=WatchState.ENDED, ended_at=bindparam("at"), reason=bindparam("why"))
)
_MARK_UNREACHABLE = (
    update(watches)
    .where(ACTIVE, watches.c.id == bindparam("row"))
    .values(state=WatchState.UNREACHABLE, ended_at=bindparam("at"), reason=bindparam("why"))
)
_REACTIVATE = (
    update(watches)
    .where(watches.c.id == bindparam("row"), watches.c.state == WatchState.UNREACHABLE)
    .values(state=WatchState.ACTIVE, ended_at=None, reason="")
)
_COUNT = select(watches.c.state, func.count().label("total")).group_by(watches.c.state)
_PRUNE = delete(watches).where(
    watches.c.state.in_([WatchState.ENDED, WatchState.UNREACHABLE]),
    watches.c.ended_at < bindparam("before"),
)


def watch_from_row(row: Sequence[Any]) -> Watch:
    """Build the record from the values of `WATCH_COLUMNS`."""
    values = dict(zip(_NAMES, row, strict=True))
    ref = JobRef.model_construct(connection=values.pop("connection"), id=values.pop("job_id"))
    return Watch(ref=ref, **values)


_NAMES = tuple(column.name for column in WATCH_COLUMNS)


class Watches:
    """The watches, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, watch: Watch) -> bool:
        """Store a watch; return False if the channel has an open watch on this job."""
        row = {field.name: getattr(watch, field.name) for field in fields(watch)}
        ref = row.pop("ref")
        row |= {"connection": ref.connection, "job_id": ref.id}
        return (await self._connection.execute(_ADD, row)).scalar() is not None

    async def find(self, workspace: str, channel: str, ref: JobRef) -> Watch | None:
        """Return the open watch on a job in a channel."""
        return await self._one(
            _FIND,
            in_workspace=workspace,
            in_channel=channel,
            of_connection=ref.connection,
            of_job=ref.id,
        )

    async def latest(self, workspace: str, channel: str, ref: JobRef) -> Watch | None:
        """Return the newest watch on a job in a channel, in any state."""
        return await self._one(
            _LATEST,
            in_workspace=workspace,
            in_channel=channel,
            of_connection=ref.connection,
            of_job=ref.id,
        )

    async def requested_since(self, workspace: str, channel: str, since: datetime) -> list[Watch]:
        """Return the watches requested in a channel since then, in any state, oldest first."""
        bound = {"in_workspace": workspace, "in_channel": channel, "since": since}
        return [watch_from_row(row) for row in await self._connection.execute(_REQUESTED, bound)]

    async def get(self, watch_id: str) -> Watch | None:
        """Return a watch in any state."""
        return await self._one(_GET, row=watch_id)

    async def get_many(self, ids: Collection[str]) -> dict[str, Watch]:
        """Return watches by their ids, in any state."""
        rows = await self._connection.execute(_GET_MANY, {"rows": list(ids)})
        return {watch.id: watch for watch in map(watch_from_row, rows)}

    async def by_card(self, workspace: str, channel: str, ts: str) -> Watch | None:
        """Return the watch whose card has this timestamp, in any state."""
        return await self._one(_BY_CARD, in_workspace=workspace, in_channel=channel, ts=ts)

    async def of_board(self, board_id: str) -> list[tuple[Watch, WatchedJob]]:
        """Return the watches of a board, ended ones too, with their jobs, oldest first."""
        rows = await self._connection.execute(_OF_BOARD, {"of_board": board_id})
        return [
            (watch_from_row(row[: len(WATCH_COLUMNS)]), job_from_row(row[len(WATCH_COLUMNS) :]))
            for row in rows
        ]

    async def in_channel(self, workspace: str, channel: str) -> list[tuple[Watch, WatchedJob]]:
        """Return the open watches of a channel with their jobs, oldest first."""
        bound = {"in_workspace": workspace, "in_channel": channel}
        rows = await self._connection.execute(_IN_CHANNEL, bound)
        return [
            (watch_from_row(row[: len(WATCH_COLUMNS)]), job_from_row(row[len(WATCH_COLUMNS) :]))
            for row in rows
        ]

    async def list_open(self, channel: str | None = None) -> list[Watch]:
        """Return the open watches of a channel, or of all channels, oldest first."""
        rows = await self._connection.execute(_OPEN, {"only": channel})
        return [watch_from_row(row) for row in rows]

    async def latest_jobs(self, workspace: str, channel: str | None = None) -> list[JobRef]:
        """Return the last requested job of each connection, in a channel or in any.

        The one that was requested last comes first.
        """
        bound = {"in_workspace": workspace}
        if channel is None:
            rows = await self._connection.execute(_NEWEST, bound)
        else:
            rows = await self._connection.execute(
                _NEWEST_IN_CHANNEL, bound | {"in_channel": channel}
            )
        return [JobRef(connection=row.connection, id=row.job_id) for row in rows]

    async def of_jobs(self, workspace: str, refs: Iterable[JobRef]) -> dict[JobRef, list[Watch]]:
        """Return the active watches of these jobs, oldest first; jobs without one are left out."""
        found: dict[JobRef, list[Watch]] = {}
        ordered = sorted(refs, key=lambda ref: ref.connection)
        for connection, group in groupby(ordered, key=lambda ref: ref.connection):
            for row in await self._active(workspace, connection, [ref.id for ref in group]):
                watch = watch_from_row(row)
                found.setdefault(watch.ref, []).append(watch)
        return found

    async def set_card_ts(self, watch_id: str, card_ts: str) -> None:
        """Store the timestamp of a watch's card."""
        await self._connection.execute(_SET_CARD_TS, {"row": watch_id, "ts": card_ts})

    async def end(self, ids: Collection[str], *, now: datetime, reason: str) -> int:
        """End those of these watches that are open; return how many."""
        bound = {"rows": list(ids), "at": now, "why": reason}
        return (await self._connection.execute(_END, bound)).rowcount

    async def mark_unreachable(self, watch_id: str, *, now: datetime, reason: str) -> bool:
        """Mark an active watch as unreachable; return False if it is not active."""
        bound = {"row": watch_id, "at": now, "why": reason}
        return (await self._connection.execute(_MARK_UNREACHABLE, bound)).rowcount == 1

    async def reactivate(self, watch_id: str) -> bool:
        """Make an unreachable watch active again; return False if it is not unreachable."""
        return (await self._connection.execute(_REACTIVATE, {"row": watch_id})).rowcount == 1

    async def count(self) -> dict[WatchState, int]:
        """Return the number of watches in each state, zeros included."""
        rows = await self._connection.execute(_COUNT)
        return dict.fromkeys(WatchState, 0) | {row.state: row.total for row in rows}

    async def prune(self, before: datetime) -> int:
        """Delete watches that ended or became unreachable before then; return how many."""
        return (await self._connection.execute(_PRUNE, {"before": before})).rowcount

    async def _one(self, statement: Any, **bound: Any) -> Watch | None:
        row = (await self._connection.execute(statement, bound)).one_or_none()
        return None if row is None else watch_from_row(row)

    async def _active(self, workspace: str, connection: str, ids: list[str]) -> Sequence[Row[Any]]:
        bound = {"in_workspace": workspace, "of_connection": connection, "of_jobs": ids}
        rows: Sequence[Row[Any]] = (await self._connection.execute(_OF_JOBS, bound)).all()
        return rows
