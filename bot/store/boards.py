"""Boards: messages about several jobs."""

from __future__ import annotations

import zlib
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, delete, exists, func, insert, or_, select, text, update

from bot.store.records import Board, BoardKind, MessageKind
from bot.store.tables import (
    ACTIVE,
    BOARD_OPEN,
    DEAD_LETTER,
    NOT_ENDED,
    UNSENT,
    boards,
    outbox,
    watches,
)
from bot.store.watches import WATCH_COLUMNS, watch_from_row

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
        BOARD_OPEN,
        boards.c.workspace == bindparam("in_workspace"),
        boards.c.channel == bindparam("in_channel"),
        boards.c.kind == bindparam("of_kind", type_=boards.c.kind.type),
        boards.c.asker == bindparam("of_asker"),
    )
    .order_by(boards.c.opened_at.desc())
    .limit(1)
)
_SET_MESSAGE_TS = update(boards).where(boards.c.id == bindparam("board"))
_CLOSE = (
    update(boards)
    .where(BOARD_OPEN, boards.c.id == bindparam("board"))
    .values(closed_at=bindparam("now"))
)
_DUE_TO_CLOSE = select(*_COLUMNS).where(BOARD_OPEN, boards.c.closes_at <= bindparam("now"))
_JOIN = update(watches).where(watches.c.id == bindparam("watch"))
_ROWS = select(func.count()).where(watches.c.board_id == bindparam("of_board"))
_OF_ASKER = (
    watches.c.workspace == bindparam("in_workspace"),
    watches.c.channel == bindparam("in_channel"),
    watches.c.asker == bindparam("of_asker"),
    watches.c.requested_at > bindparam("since"),
    watches.c.thread_ts.is_not_distinct_from(
        bindparam("in_thread", type_=watches.c.thread_ts.type)
    ),
    NOT_ENDED,  # for the partial index
    ACTIVE,
)
_LATEST_REQUEST = (
    select(*WATCH_COLUMNS)
    .where(*_OF_ASKER)
    .order_by(watches.c.requested_at.desc(), watches.c.board_id.is_(None), watches.c.id)
    .limit(1)
)
_LATEST_REQUEST_LOCKED = _LATEST_REQUEST.with_for_update()
_PENDING = select(outbox.c.watch_id).where(
    UNSENT,
    outbox.c.workspace == bindparam("in_workspace"),
    outbox.c.ordering_key == bindparam("in_thread"),
    outbox.c.kind == MessageKind.POST,
    outbox.c.watch_id.is_not(None),
)
_REJECTED = select(outbox.c.watch_id).where(
    DEAD_LETTER,
    outbox.c.workspace == bindparam("in_workspace"),
    outbox.c.ordering_key == bindparam("in_thread"),
    outbox.c.watch_id.is_not(None),
)
_BODIES = (
    select(outbox.c.body)
    .where(
        outbox.c.workspace == bindparam("in_workspace"),
        outbox.c.idempotency_key.in_(bindparam("keys", expanding=True)),
    )
    .order_by(outbox.c.id.desc())
    .limit(1)
)
_LOCK_REQUESTER = text("SELECT pg_advisory_xact_lock(:number)")
_WITHOUT_ROWS = and_(
    boards.c.kind == BoardKind.BOARD,
    boards.c.opened_at < bindparam("before"),
    ~exists().where(watches.c.board_id == boards.c.id),
)
_PRUNE = delete(boards).where(or_(boards.c.closed_at < bindparam("before"), _WITHOUT_ROWS))


class Boards:
    """The boards, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, board: Board) -> None:
        """Store a board."""
        await self._connection.execute(_ADD, asdict(board))

    async def get(self, board_id: str) -> Board | None:
        """Return a board, open or closed."""
        return await self._one(_GET, board=board_id)

    async def lock(self, board_id: str) -> Board | None:
        """Return a board and lock its row until the transaction ends."""
        return await self._one(_LOCK, board=board_id)

    async def latest_open(
        self, workspace: str, channel: str, kind: BoardKind, asker: str = ""
    ) -> Board | None:
        """Return the newest open board of a kind in a channel, requested by this user."""
        return await self._one(
            _NEWEST, in_workspace=workspace, in_channel=channel, of_kind=kind, of_asker=asker
        )

    async def lock_requester(self, workspace: str, channel: str, asker: str) -> None:
        """Lock this user's boards in the channel until the transaction ends.

        SQLite needs no lock: it runs one transaction at a time.
        """
        if self._connection.dialect.name == "postgresql":
            number = zlib.crc32(f"board/{workspace}/{channel}/{asker}".encode())
            await self._connection.execute(_LOCK_REQUESTER, {"number": number})

    async def latest_request(
        self,
        workspace: str,
        channel: str,
        thread_ts: str | None,
        asker: str,
        since: datetime,
        *,
        for_update: bool = False,
    ) -> Watch | None:
        """Return a user's last request in a place since then, if it is still followed.

        `for_update`: lock its row until the transaction ends; its card may be in flight.
        """
        bound = {
            "in_workspace": workspace,
            "in_channel": channel,
            "in_thread": thread_ts,
            "of_asker": asker,
            "since": since,
        }
        statement = _LATEST_REQUEST_LOCKED if for_update else _LATEST_REQUEST
        row = (await self._connection.execute(statement, bound)).one_or_none()
        return None if row is None else watch_from_row(row)

    async def count_rows(self, board_id: str) -> int:
        """Return the number of jobs on a board, ended ones too."""
        return (await self._connection.execute(_ROWS, {"of_board": board_id})).scalar_one()

    async def watches_with_pending(self, workspace: str, thread: str) -> set[str]:
        """Return the watches with unsent thread replies in a thread."""
        bound = {"in_workspace": workspace, "in_thread": thread}
        return set((await self._connection.execute(_PENDING, bound)).scalars())

    async def watches_with_dead_letters(self, workspace: str, thread: str) -> set[str]:
        """Return the watches with dead letters in a thread."""
        bound = {"in_workspace": workspace, "in_thread": thread}
        return set((await self._connection.execute(_REJECTED, bound)).scalars())

    async def latest_body(self, workspace: str, keys: Collection[str]) -> dict[str, Any]:
        """Return the newest body of a board's message, which has one of these keys."""
        bound = {"in_workspace": workspace, "keys": list(keys)}
        return (await self._connection.execute(_BODIES, bound)).scalar() or {}

    async def set_message_ts(self, board_id: str, message_ts: str) -> None:
        """Store the timestamp of a board's message."""
        update_ts = _SET_MESSAGE_TS.values(message_ts=bindparam("ts"))
        await self._connection.execute(update_ts, {"board": board_id, "ts": message_ts})

    async def join(self, watch_id: str, board_id: str, card_ts: str | None) -> None:
        """Add a watch to a board, whose message becomes its card."""
        joined = _JOIN.values(board_id=bindparam("joins"), card_ts=bindparam("ts"))
        bound = {"watch": watch_id, "joins": board_id, "ts": card_ts}
        await self._connection.execute(joined, bound)

    async def leave(self, watch_id: str) -> None:
        """Remove the row of an ended watch from its board."""
        left = _JOIN.values(board_id=None)
        await self._connection.execute(left, {"watch": watch_id})

    async def close(self, board_id: str, now: datetime) -> bool:
        """Close a board; return False if it is closed already."""
        bound = {"board": board_id, "now": now}
        return (await self._connection.execute(_CLOSE, bound)).rowcount == 1

    async def due_to_close(self, now: datetime) -> list[Board]:
        """Return the open boards that are due to close."""
        rows = await self._connection.execute(_DUE_TO_CLOSE, {"now": now})
        return [Board(**row._mapping) for row in rows]  # noqa: SLF001  SQLAlchemy's public name

    async def prune(self, before: datetime) -> int:
        """Delete boards closed before then, or as old and without rows; return how many."""
        return (await self._connection.execute(_PRUNE, {"before": before})).rowcount

    async def _one(self, statement: Executable, **bound: Any) -> Board | None:
        row = (await self._connection.execute(statement, bound)).one_or_none()
        return None if row is None else Board(**row._mapping)  # noqa: SLF001
