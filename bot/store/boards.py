"""The boards: messages that tell of several jobs."""

from __future__ import annotations

import zlib
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, delete, exists, func, insert, or_, select, text, update

from bot.store.records import Board, BoardKind, PostKind
from bot.store.tables import ACTIVE, LIVING, OPEN, PARKED, UNSENT, boards, outbox, watches
from bot.store.watches import COLUMNS, watch_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Executable
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.store.records import Watch

_COLUMNS = tuple(boards.c[field.name] for field in fields(Board))
_ADD = insert(boards)
_GET = select(*_COLUMNS).where(boards.c.id == bindparam("board"))
_LOCK = _GET.with_for_update()
_NEWEST = (
    select(*_COLUMNS)
    .where(
        OPEN,
        boards.c.workspace == bindparam("in_workspace"),
        boards.c.channel == bindparam("in_channel"),
        boards.c.kind == bindparam("of_kind", type_=boards.c.kind.type),
        boards.c.asker == bindparam("of_asker"),
    )
    .order_by(boards.c.opened_at.desc())
    .limit(1)
)
_PLACED = update(boards).where(boards.c.id == bindparam("board"))
_CLOSE = (
    update(boards).where(OPEN, boards.c.id == bindparam("board")).values(closed_at=bindparam("now"))
)
_CLOSING = select(*_COLUMNS).where(OPEN, boards.c.closes_at <= bindparam("now"))
_JOIN = update(watches).where(watches.c.id == bindparam("watch"))
_ROWS = select(func.count()).where(watches.c.board_id == bindparam("of_board"))
_OF_ASKER = (
    watches.c.workspace == bindparam("in_workspace"),
    watches.c.channel == bindparam("in_channel"),
    watches.c.asker == bindparam("of_asker"),
    watches.c.asked_at > bindparam("since"),
    watches.c.thread_ts.is_not_distinct_from(
        bindparam("in_thread", type_=watches.c.thread_ts.type)
    ),
    LIVING,  # as the index has it
    ACTIVE,
)
_FRESH = (
    select(*COLUMNS)
    .where(*_OF_ASKER)
    .order_by(watches.c.asked_at.desc(), watches.c.board_id.is_(None), watches.c.id)
    .limit(1)
)
_FRESH_ALONE = _FRESH.with_for_update()
_UNSAID = select(outbox.c.watch_id).where(
    UNSENT,
    outbox.c.workspace == bindparam("in_workspace"),
    outbox.c.thread == bindparam("in_thread"),
    outbox.c.kind == PostKind.POST,
    outbox.c.watch_id.is_not(None),
)
_SILENT = select(outbox.c.watch_id).where(
    PARKED,
    outbox.c.workspace == bindparam("in_workspace"),
    outbox.c.thread == bindparam("in_thread"),
    outbox.c.watch_id.is_not(None),
)
_BODIES = (
    select(outbox.c.body)
    .where(
        outbox.c.workspace == bindparam("in_workspace"),
        outbox.c.key.in_(bindparam("keys", expanding=True)),
    )
    .order_by(outbox.c.id.desc())
    .limit(1)
)
_HOLD = text("SELECT pg_advisory_xact_lock(:number)")
_GONE = and_(
    boards.c.kind == BoardKind.BOARD,
    boards.c.opened_at < bindparam("before"),
    ~exists().where(watches.c.board_id == boards.c.id),
)
_PRUNE = delete(boards).where(or_(boards.c.closed_at < bindparam("before"), _GONE))


class Boards:
    """The boards, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, board: Board) -> None:
        """Write a board down."""
        await self._connection.execute(_ADD, asdict(board))

    async def get(self, board_id: str) -> Board | None:
        """Return a board, open or closed."""
        return await self._one(_GET, board=board_id)

    async def lock(self, board_id: str) -> Board | None:
        """Return a board that nobody else draws or closes until this transaction ends."""
        return await self._one(_LOCK, board=board_id)

    async def newest(
        self, workspace: str, channel: str, kind: BoardKind, asker: str = ""
    ) -> Board | None:
        """Return the newest open board of a kind in a channel, asked for by this person."""
        return await self._one(
            _NEWEST, in_workspace=workspace, in_channel=channel, of_kind=kind, of_asker=asker
        )

    async def hold(self, workspace: str, channel: str, asker: str) -> None:
        """Let nobody else open or join this person's boards in a channel meanwhile.

        On SQLite one transaction writes at a time anyway.
        """
        if self._connection.dialect.name == "postgresql":
            number = zlib.crc32(f"board/{workspace}/{channel}/{asker}".encode())
            await self._connection.execute(_HOLD, {"number": number})

    async def fresh(
        self,
        workspace: str,
        channel: str,
        thread_ts: str | None,
        asker: str,
        since: datetime,
        *,
        alone: bool = False,
    ) -> Watch | None:
        """Return what a person last asked for in a place after then, if it is still followed.

        `alone`: nobody else changes it until the transaction ends; its card may be on its way.
        """
        bound = {
            "in_workspace": workspace,
            "in_channel": channel,
            "in_thread": thread_ts,
            "of_asker": asker,
            "since": since,
        }
        statement = _FRESH_ALONE if alone else _FRESH
        row = (await self._connection.execute(statement, bound)).one_or_none()
        return None if row is None else watch_of(row)

    async def rows(self, board_id: str) -> int:
        """Return how many jobs are on a board, ended ones too."""
        return (await self._connection.execute(_ROWS, {"of_board": board_id})).scalar_one()

    async def unsaid(self, workspace: str, thread: str) -> set[str]:
        """Return the watches that still have follow-ups on their way in a thread."""
        bound = {"in_workspace": workspace, "in_thread": thread}
        return set((await self._connection.execute(_UNSAID, bound)).scalars())

    async def silent(self, workspace: str, thread: str) -> set[str]:
        """Return the watches of which Slack refused to be told, in a thread."""
        bound = {"in_workspace": workspace, "in_thread": thread}
        return set((await self._connection.execute(_SILENT, bound)).scalars())

    async def body(self, workspace: str, keys: Collection[str]) -> dict[str, Any]:
        """Return the newest body of a board's message, which goes by one of these keys."""
        bound = {"in_workspace": workspace, "keys": list(keys)}
        return (await self._connection.execute(_BODIES, bound)).scalar() or {}

    async def placed(self, board_id: str, message_ts: str) -> None:
        """Note where the message of a board stands."""
        placed = _PLACED.values(message_ts=bindparam("ts"))
        await self._connection.execute(placed, {"board": board_id, "ts": message_ts})

    async def join(self, watch_id: str, board_id: str, card_ts: str | None) -> None:
        """Make the message of a board the card of a watch, wherever it stands so far."""
        joined = _JOIN.values(board_id=bindparam("joins"), card_ts=bindparam("ts"))
        bound = {"watch": watch_id, "joins": board_id, "ts": card_ts}
        await self._connection.execute(joined, bound)

    async def leave(self, watch_id: str) -> None:
        """Take the row of an ended watch away from its board."""
        left = _JOIN.values(board_id=None)
        await self._connection.execute(left, {"watch": watch_id})

    async def close(self, board_id: str, now: datetime) -> bool:
        """Close a board; False if it is closed already."""
        bound = {"board": board_id, "now": now}
        return (await self._connection.execute(_CLOSE, bound)).rowcount == 1

    async def closing(self, now: datetime) -> list[Board]:
        """Return the open boards whose time to close has come."""
        rows = await self._connection.execute(_CLOSING, {"now": now})
        return [Board(**row._mapping) for row in rows]  # noqa: SLF001  SQLAlchemy's public name

    async def prune(self, before: datetime) -> int:
        """Forget the boards closed before then, or as old and without a job; return how many."""
        return (await self._connection.execute(_PRUNE, {"before": before})).rowcount

    async def _one(self, statement: Executable, **bound: Any) -> Board | None:
        row = (await self._connection.execute(statement, bound)).one_or_none()
        return None if row is None else Board(**row._mapping)  # noqa: SLF001
