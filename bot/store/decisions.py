"""The decisions: what was told, held back or left unsaid in which channel, and why."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert  # compiles on SQLite as well: see inbox.py

from bot import sabotage
from bot.models import JobRef
from bot.noise.decision import Action, Happening
from bot.store.records import Decided, PostKind, Said
from bot.store.tables import HELD, decisions, outbox, watches

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import Executable
    from sqlalchemy.ext.asyncio import AsyncConnection

_NAMES = (*(f.name for f in fields(Decided) if f.name != "ref"), "connection", "job_id")
_COLUMNS = tuple(decisions.c[name] for name in _NAMES)
_THERE = (
    decisions.c.workspace == bindparam("in_workspace"),
    decisions.c.channel == bindparam("in_channel"),
)
_THIS = (
    decisions.c.workspace == bindparam("in_workspace"),
    decisions.c.key == bindparam("of_key"),
)
_ADD = (
    insert(decisions)
    .on_conflict_do_nothing(index_elements=[decisions.c.workspace, decisions.c.key])
    .returning(decisions.c.id)
)
_GET = select(*_COLUMNS).where(*_THIS)
_SPOKEN = select(func.count()).where(
    *_THERE, decisions.c.at > bindparam("since"), decisions.c.action == Action.POST
)
_ENDED = (
    select(decisions.c.bad)
    .where(
        *_THERE,
        decisions.c.series == bindparam("of_series"),
        decisions.c.connection == bindparam("of_connection"),
        decisions.c.happening.in_([Happening.OUTCOME, Happening.RUN]),
    )
    .order_by(decisions.c.id.desc())
    .limit(1)
)
_HELD = select(*_COLUMNS).where(HELD).order_by(decisions.c.id)
_HELD_HERE = _HELD.where(*_THERE)
# Locked, so that of two processes the later one finds nothing, and then the earlier one's digest.
_RIPE_HERE = _HELD_HERE.where(decisions.c.until <= bindparam("now")).with_for_update()
_PLACES = select(decisions.c.workspace, decisions.c.channel).where(HELD).distinct()
_RIPE_PLACES = _PLACES.where(decisions.c.until <= bindparam("now"))
_NEXT = select(func.min(decisions.c.until)).where(HELD)
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
    select(*_COLUMNS).where(*_THERE, decisions.c.at >= bindparam("since")).order_by(decisions.c.id)
)
_OF_JOB = (
    select(*_COLUMNS)
    .where(
        # By its watches, for which there is an index.
        decisions.c.watch_id.in_(
            select(watches.c.id).where(
                watches.c.workspace == bindparam("in_workspace"),
                watches.c.channel == bindparam("in_channel"),
                watches.c.connection == bindparam("of_connection"),
                watches.c.job_id == bindparam("of_job"),
            )
        )
    )
    .order_by(decisions.c.until.is_(None), decisions.c.id.desc())
    .limit(bindparam("most"))
)
_LAST_ENDS = (
    select(func.max(decisions.c.id))
    .where(
        *_THERE,
        decisions.c.at < bindparam("before"),
        decisions.c.happening.in_([Happening.OUTCOME, Happening.RUN]),
    )
    .group_by(decisions.c.connection, decisions.c.name)
)
_STOOD = select(decisions.c.connection, decisions.c.name, decisions.c.bad).where(
    decisions.c.id.in_(_LAST_ENDS)
)
_REACTABLE = select(watches.c.id).where(
    watches.c.said_ts.is_not(None),
    watches.c.id.in_(
        select(decisions.c.watch_id).where(*_THERE, decisions.c.at >= bindparam("since"))
    ),
)
_SAID = (
    select(
        outbox.c.key,
        outbox.c.reason,
        outbox.c.watch_id,
        outbox.c.board_id,
        outbox.c.roots_watch,
        outbox.c.body,
    )
    .where(
        outbox.c.workspace == bindparam("in_workspace"),
        outbox.c.channel == bindparam("in_channel"),
        outbox.c.sent_ts == bindparam("ts"),
        outbox.c.kind == PostKind.POST,
    )
    .limit(1)
)
_AGAIN = (
    update(decisions)
    .where(*_THIS, HELD)
    .values(
        action=bindparam("does", type_=decisions.c.action.type),
        rule=bindparam("by_rule"),
        reason=bindparam("why"),
        until=bindparam("then", type_=decisions.c.until.type),
        board_id=bindparam("of_board"),
        at=bindparam("when", type_=decisions.c.at.type),
    )
)
_TAKE_BACK = (
    update(decisions)
    .where(
        decisions.c.board_id == bindparam("of_board"),
        decisions.c.key.not_in(bindparam("but", expanding=True)),
    )
    .values(until=bindparam("now", type_=decisions.c.until.type), board_id=None)
)
_PRUNE = delete(decisions).where(decisions.c.at < bindparam("before"), decisions.c.until.is_(None))


_SAID_NAMES = ("key", "reason", "watch_id", "board_id", "roots_watch")


def _decided(row: Sequence[Any]) -> Decided:
    values = dict(zip(_NAMES, row, strict=True))
    ref = JobRef.model_construct(connection=values.pop("connection"), id=values.pop("job_id"))
    return Decided(ref=ref, **values)


class Decisions:
    """What was decided, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, decided: Decided) -> bool:
        """Write a decision down; False if one is known by its key."""
        row = {f.name: getattr(decided, f.name) for f in fields(decided)}
        ref = row.pop("ref")
        key = sabotage.key(decided.key)
        row |= {"key": key, "connection": ref.connection, "job_id": ref.id}
        return (await self._connection.execute(_ADD, row)).scalar() is not None

    async def get(self, workspace: str, key: str) -> Decided | None:
        """Return the decision about the follow-up of that key."""
        found = await self._all(_GET, in_workspace=workspace, of_key=key)
        return found[0] if found else None

    async def spoken(self, workspace: str, channel: str, since: datetime) -> int:
        """Return how many follow-ups were told in a channel after then."""
        bound = {"in_workspace": workspace, "in_channel": channel, "since": since}
        return (await self._connection.execute(_SPOKEN, bound)).scalar_one()

    async def was_bad(self, workspace: str, channel: str, connection: str, series: str) -> bool:
        """Whether the last job of that series that ended in a channel's sight ended badly."""
        bound = {
            "in_workspace": workspace,
            "in_channel": channel,
            "of_connection": connection,
            "of_series": series,
        }
        return bool((await self._connection.execute(_ENDED, bound)).scalar())

    async def held(self, workspace: str, channel: str) -> list[Decided]:
        """Return what is held in a channel, oldest first."""
        return await self._all(_HELD_HERE, in_workspace=workspace, in_channel=channel)

    async def ripe(self, workspace: str, channel: str, now: datetime) -> list[Decided]:
        """Return what is held in a channel no longer than until now, oldest first.

        It is this transaction's alone until that ends.
        """
        return await self._all(_RIPE_HERE, in_workspace=workspace, in_channel=channel, now=now)

    async def places(self) -> list[tuple[str, str]]:
        """Return the workspaces and channels in which anything is held."""
        return [(row[0], row[1]) for row in await self._connection.execute(_PLACES)]

    async def ripe_places(self, now: datetime) -> list[tuple[str, str]]:
        """Return the workspaces and channels in which something is held no longer than now."""
        return [(r[0], r[1]) for r in await self._connection.execute(_RIPE_PLACES, {"now": now})]

    async def next_ripe(self) -> datetime | None:
        """Return when the next of what is held is to be told."""
        moment: datetime | None = (await self._connection.execute(_NEXT)).scalar()
        return moment

    async def of_watch(self, watch_id: str, most: int) -> list[Decided]:
        """Return the newest decisions about a watch, the newest first."""
        return await self._all(_OF_WATCH, of_watch=watch_id, most=most)

    async def of_job(self, workspace: str, channel: str, ref: JobRef, most: int) -> list[Decided]:
        """Return decisions about a job in a channel: those held now, then the newest first."""
        return await self._all(
            _OF_JOB,
            in_workspace=workspace,
            in_channel=channel,
            of_connection=ref.connection,
            of_job=ref.id,
            most=most,
        )

    async def of_board(self, board_id: str) -> list[Decided]:
        """Return what a digest tells, oldest first."""
        return await self._all(_OF_BOARD, of_board=board_id)

    async def since(self, workspace: str, channel: str, then: datetime) -> list[Decided]:
        """Return all that was decided in a channel since then, oldest first."""
        return await self._all(_SINCE, in_workspace=workspace, in_channel=channel, since=then)

    async def stood(
        self, workspace: str, channel: str, before: datetime
    ) -> dict[tuple[str, str], bool]:
        """Return by connection and name whether the last that ended before then ended badly."""
        bound = {"in_workspace": workspace, "in_channel": channel, "before": before}
        rows = await self._connection.execute(_STOOD, bound)
        return {(row.connection, row.name): row.bad for row in rows}

    async def reactable(self, workspace: str, channel: str, since: datetime) -> frozenset[str]:
        """Return the watches decided about since then whose asker's message takes reactions."""
        bound = {"in_workspace": workspace, "in_channel": channel, "since": since}
        return frozenset((await self._connection.execute(_REACTABLE, bound)).scalars())

    async def said(self, workspace: str, channel: str, ts: str) -> Said | None:
        """Return the message of ours that stands there."""
        bound = {"in_workspace": workspace, "in_channel": channel, "ts": ts}
        row = (await self._connection.execute(_SAID, bound)).one_or_none()
        if row is None:
            return None
        *known, body = row
        loud, late = (bool((body or {}).get(name)) for name in ("broadcast", "items"))
        return Said(**dict(zip(_SAID_NAMES, known, strict=True)), loud=loud, late=late)

    async def again(self, decided: Decided) -> bool:
        """Write down what is decided anew about something held; False if it is held no longer."""
        bound = {
            "in_workspace": decided.workspace,
            "of_key": decided.key,
            "does": decided.action,
            "by_rule": decided.rule,
            "why": decided.reason,
            "then": decided.until,
            "of_board": decided.board_id,
            "when": decided.at,
        }
        return (await self._connection.execute(_AGAIN, bound)).rowcount == 1

    async def take_back(self, board_id: str, but: Collection[str], now: datetime) -> int:
        """Hold again, until now, what a digest was to tell, but for these keys; return how many."""
        bound = {"of_board": board_id, "but": list(but), "now": now}
        return (await self._connection.execute(_TAKE_BACK, bound)).rowcount

    async def prune(self, before: datetime) -> int:
        """Forget what was decided before then and is not held; return how many decisions."""
        return (await self._connection.execute(_PRUNE, {"before": before})).rowcount

    async def _all(self, statement: Executable, **bound: Any) -> list[Decided]:
        return [_decided(row) for row in await self._connection.execute(statement, bound)]
