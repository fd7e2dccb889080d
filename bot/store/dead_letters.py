"""Dead letters: messages that Slack rejected, and watches whose threads are unreachable."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, or_, select, union, update

from bot.store.outbox_queries import OUTBOX_COLUMNS
from bot.store.records import MessageState, OutboxMessage, WatchState
from bot.store.tables import DEAD_LETTER, UNSENT, outbox, watches
from bot.store.watches import WATCH_COLUMNS, watch_from_row

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.store.records import Watch

MAX_CLOCK_STEP_BACK = timedelta(hours=2)  # how far a clock may have been set back since

_OF_WATCH = (
    DEAD_LETTER,
    outbox.c.workspace == watches.c.workspace,
    outbox.c.channel == watches.c.channel,
    outbox.c.watch_id == watches.c.id,
)
_UNREACHABLE = union(
    select(watches.c.id).where(watches.c.state == WatchState.UNREACHABLE),
    select(outbox.c.watch_id).where(DEAD_LETTER, outbox.c.watch_id.is_not(None)),
).subquery("unreachable")
_WATCHES = (
    select(*WATCH_COLUMNS, select(func.count()).where(*_OF_WATCH).scalar_subquery())
    .join_from(_UNREACHABLE, watches, watches.c.id == _UNREACHABLE.c.id)
    .where(
        # Otherwise its card was never posted, and the asker was notified.
        or_(watches.c.card_ts.is_not(None), watches.c.request_ts.is_not(None)),
        or_(
            bindparam("only", type_=watches.c.channel.type).is_(None),
            watches.c.channel == bindparam("only"),
        ),
    )
    .order_by(watches.c.requested_at, watches.c.id)
)
_MESSAGES = (
    select(*OUTBOX_COLUMNS)
    .where(
        DEAD_LETTER,
        outbox.c.workspace == bindparam("in_workspace"),
        outbox.c.channel == bindparam("in_channel"),
        outbox.c.watch_id == bindparam("of_watch"),
    )
    .order_by(outbox.c.id)
)
_SENT_BODIES = select(outbox.c.body).where(
    outbox.c.settled_at >= bindparam("since"),
    outbox.c.watch_id == bindparam("of_watch"),
    outbox.c.state == MessageState.SENT,
)
_UNSENT = select(func.count()).where(
    UNSENT,
    outbox.c.workspace == bindparam("in_workspace"),
    outbox.c.watch_id == bindparam("of_watch"),
)
_OF_BOARD = select(func.count()).where(
    DEAD_LETTER,
    outbox.c.workspace == bindparam("in_workspace"),
    or_(
        outbox.c.board_id == bindparam("of_board"),
        outbox.c.watch_id.in_(
            select(watches.c.id).where(watches.c.board_id == bindparam("of_board"))
        ),
    ),
)
_RESET = (
    update(outbox)
    .where(DEAD_LETTER, outbox.c.id.in_(bindparam("rows", expanding=True)))
    .values(attempts=0, due_at=bindparam("at"))
)
_REQUEUE = _RESET.values(state=MessageState.READY, error="", settled_at=None)
_DROP = _RESET.values(state=MessageState.DROPPED, settled_at=bindparam("at"))
_CONFIRM_UNSENT = (
    update(outbox)
    .where(
        DEAD_LETTER, outbox.c.id == bindparam("row"), outbox.c.attempts == bindparam("at_attempts")
    )
    .values(unconfirmed=False, error=bindparam("why"))
)


class DeadLetters:
    """The dead letters, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def watches(self, channel: str | None = None) -> list[tuple[Watch, int]]:
        """Return the watches that are unreachable or have dead letters, with their number.

        Oldest first. A watch may have ended with its job, though its thread was never updated.
        """
        rows = await self._connection.execute(_WATCHES, {"only": channel})
        return [(watch_from_row(row[:-1]), row[-1]) for row in rows]

    async def messages(self, watch: Watch) -> list[OutboxMessage]:
        """Return the dead letters of a watch, in order."""
        bound = {
            "in_workspace": watch.workspace,
            "in_channel": watch.channel,
            "of_watch": watch.id,
        }
        rows = await self._connection.execute(_MESSAGES, bound)
        return [OutboxMessage(**row._mapping) for row in rows]  # noqa: SLF001  SQLAlchemy's public name

    async def count_of_board(self, workspace: str, board_id: str) -> int:
        """Return the number of dead letters of a board and of its watches."""
        bound = {"in_workspace": workspace, "of_board": board_id}
        return (await self._connection.execute(_OF_BOARD, bound)).scalar_one()

    async def sent_bodies(self, watch: Watch) -> list[dict[str, Any]]:
        """Return the bodies of a watch's sent messages that are not pruned yet."""
        bound = {"of_watch": watch.id, "since": watch.requested_at - MAX_CLOCK_STEP_BACK}
        return list((await self._connection.execute(_SENT_BODIES, bound)).scalars())

    async def count_unsent(self, watch: Watch) -> int:
        """Return the number of unsent messages of a watch."""
        bound = {"in_workspace": watch.workspace, "of_watch": watch.id}
        return (await self._connection.execute(_UNSENT, bound)).scalar_one()

    async def confirm_unsent(self, message: OutboxMessage, error: str) -> None:
        """Record that Slack does not have a message that became a dead letter in flight."""
        bound = {"row": message.id, "at_attempts": message.attempts, "why": error}
        await self._connection.execute(_CONFIRM_UNSENT, bound)

    async def requeue(self, messages: Collection[OutboxMessage], now: datetime) -> int:
        """Make these dead letters ready again; return how many."""
        bound = {"rows": [message.id for message in messages], "at": now}
        return (await self._connection.execute(_REQUEUE, bound)).rowcount

    async def drop(self, messages: Collection[OutboxMessage], now: datetime) -> int:
        """Drop these dead letters, as another message replaces them; return how many."""
        bound = {"rows": [message.id for message in messages], "at": now}
        return (await self._connection.execute(_DROP, bound)).rowcount
