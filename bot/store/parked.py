"""What Slack refused: the messages that are set aside, and the watches whose threads are silent."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, or_, select, union, update

from bot.store.heads import OWN
from bot.store.records import Post, PostState, WatchState
from bot.store.tables import PARKED, UNSENT, outbox, watches
from bot.store.watches import COLUMNS, watch_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.store.records import Watch

CLOCK_SET_BACK = timedelta(hours=2)  # what was said later may seem earlier, if that was set

_OF_WATCH = (
    PARKED,
    outbox.c.workspace == watches.c.workspace,
    outbox.c.channel == watches.c.channel,
    outbox.c.watch_id == watches.c.id,
)
_SILENT = union(
    select(watches.c.id).where(watches.c.state == WatchState.PARKED),
    select(outbox.c.watch_id).where(PARKED, outbox.c.watch_id.is_not(None)),
).subquery("silent")
_WATCHES = (
    select(*COLUMNS, select(func.count()).where(*_OF_WATCH).scalar_subquery())
    .join_from(_SILENT, watches, watches.c.id == _SILENT.c.id)
    .where(
        # Else its card was never posted, and the asker knows.
        or_(watches.c.card_ts.is_not(None), watches.c.said_ts.is_not(None)),
        or_(
            bindparam("only", type_=watches.c.channel.type).is_(None),
            watches.c.channel == bindparam("only"),
        ),
    )
    .order_by(watches.c.asked_at, watches.c.id)
)
_MESSAGES = (
    select(*OWN)
    .where(
        PARKED,
        outbox.c.workspace == bindparam("in_workspace"),
        outbox.c.channel == bindparam("in_channel"),
        outbox.c.watch_id == bindparam("of_watch"),
    )
    .order_by(outbox.c.id)
)
_SAID = select(outbox.c.body).where(
    outbox.c.settled_at >= bindparam("since"),
    outbox.c.watch_id == bindparam("of_watch"),
    outbox.c.state == PostState.SENT,
)
_UNSENT = select(func.count()).where(
    UNSENT,
    outbox.c.workspace == bindparam("in_workspace"),
    outbox.c.watch_id == bindparam("of_watch"),
)
_OF_BOARD = select(func.count()).where(
    PARKED,
    outbox.c.workspace == bindparam("in_workspace"),
    or_(
        outbox.c.board_id == bindparam("of_board"),
        outbox.c.watch_id.in_(
            select(watches.c.id).where(watches.c.board_id == bindparam("of_board"))
        ),
    ),
)
_SET = (
    update(outbox)
    .where(PARKED, outbox.c.id.in_(bindparam("rows", expanding=True)))
    .values(attempts=0, due_at=bindparam("at"))
)
_AGAIN = _SET.values(state=PostState.READY, error="", settled_at=None)
_DROP = _SET.values(state=PostState.DROPPED, settled_at=bindparam("at"))
_CERTAIN = (
    update(outbox)
    .where(PARKED, outbox.c.id == bindparam("row"), outbox.c.attempts == bindparam("at_attempts"))
    .values(doubtful=False, error=bindparam("why"))
)


class Parked:
    """What is parked, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def watches(self, channel: str | None = None) -> list[tuple[Watch, int]]:
        """Return the watches that are parked or have parked messages, oldest first, with how many.

        A watch may have ended with its job, and its thread not have heard of it.
        """
        rows = await self._connection.execute(_WATCHES, {"only": channel})
        return [(watch_of(row[:-1]), row[-1]) for row in rows]

    async def messages(self, watch: Watch) -> list[Post]:
        """Return the parked messages of a watch in their order."""
        bound = {
            "in_workspace": watch.workspace,
            "in_channel": watch.channel,
            "of_watch": watch.id,
        }
        rows = await self._connection.execute(_MESSAGES, bound)
        return [Post(**row._mapping) for row in rows]  # noqa: SLF001  SQLAlchemy's public name

    async def of_board(self, workspace: str, board_id: str) -> int:
        """Return how many messages of a board and of its watches are parked."""
        bound = {"in_workspace": workspace, "of_board": board_id}
        return (await self._connection.execute(_OF_BOARD, bound)).scalar_one()

    async def said(self, watch: Watch) -> list[dict[str, Any]]:
        """Return the bodies of what Slack took for a watch and is not forgotten yet."""
        bound = {"of_watch": watch.id, "since": watch.asked_at - CLOCK_SET_BACK}
        return list((await self._connection.execute(_SAID, bound)).scalars())

    async def unsent(self, watch: Watch) -> int:
        """Return how many messages of a watch are still on their way."""
        bound = {"in_workspace": watch.workspace, "of_watch": watch.id}
        return (await self._connection.execute(_UNSENT, bound)).scalar_one()

    async def certain(self, post: Post, error: str) -> None:
        """Note that Slack does not have a message that was parked while it was on its way."""
        bound = {"row": post.id, "at_attempts": post.attempts, "why": error}
        await self._connection.execute(_CERTAIN, bound)

    async def again(self, posts: Collection[Post], now: datetime) -> int:
        """Make these parked messages ready again; return how many."""
        bound = {"rows": [post.id for post in posts], "at": now}
        return (await self._connection.execute(_AGAIN, bound)).rowcount

    async def drop(self, posts: Collection[Post], now: datetime) -> int:
        """Give these parked messages up, as another says it all; return how many."""
        bound = {"rows": [post.id for post in posts], "at": now}
        return (await self._connection.execute(_DROP, bound)).rowcount
