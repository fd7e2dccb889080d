"""The outbox: what must be said and is not yet posted, in the order of its threads.

Only the head of a thread, its oldest unsent message, may be claimed.
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

from bot import sabotage
from bot.store import claims, heads
from bot.store.records import Claim, NewPost, Post, PostKind, PostState, lane_of
from bot.store.tables import UNSENT, boards, outbox, watches

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from sqlalchemy import Row, Update
    from sqlalchemy.ext.asyncio import AsyncConnection

_NEW = insert(outbox)
_KEY = [outbox.c.workspace, outbox.c.key]
_ADD = _NEW.on_conflict_do_nothing(index_elements=_KEY).returning(outbox.c.id)
_REPLACE = _NEW.on_conflict_do_update(
    index_elements=_KEY,
    set_={
        "body": _NEW.excluded.body,
        "aimed": _NEW.excluded.aimed,
        "urgent": _NEW.excluded.urgent,
        "reason": _NEW.excluded.reason,
        "version": outbox.c.version + 1,
        # Never later than what was already promised: a stream of changes must not starve it.
        "due_at": case(
            (and_(heads.READY, outbox.c.due_at < _NEW.excluded.due_at), outbox.c.due_at),
            else_=_NEW.excluded.due_at,
        ),
        "state": case((heads.SENDING, outbox.c.state), else_=_NEW.excluded.state),
        "attempts": case((heads.SENDING, outbox.c.attempts), else_=0),
        "error": "",
        "settled_at": None,
        # How long it waits: a body for a message that was sent begins to wait now.
        "created_at": case((UNSENT, outbox.c.created_at), else_=_NEW.excluded.created_at),
    },
)
_ROOTED = (
    update(watches)
    .where(watches.c.id == bindparam("row"))
    .values(card_ts=bindparam("ts"))
    .returning(watches.c.board_id)
)
_BOARD = update(boards).where(boards.c.id == bindparam("row")).values(message_ts=bindparam("ts"))
_ON_BOARD = (
    update(watches).where(watches.c.board_id == bindparam("row")).values(card_ts=bindparam("ts"))
)
_BEHIND = (
    select(*heads.OWN)
    .where(
        heads.READY,
        outbox.c.workspace == bindparam("in_workspace"),
        outbox.c.thread == bindparam("of_thread"),
        outbox.c.watch_id == bindparam("of_watch"),
        outbox.c.id > bindparam("row"),
    )
    .order_by(outbox.c.id)
    .with_for_update()
)
_SAID_WITH = (
    update(outbox)
    .where(heads.READY, outbox.c.id.in_(bindparam("rows", expanding=True)))
    .values(state=PostState.DROPPED, settled_at=bindparam("at"), error=bindparam("why"))
)
_HURRY = (
    update(outbox)
    .where(
        UNSENT,
        ~outbox.c.urgent,
        outbox.c.workspace == bindparam("in_workspace"),
        outbox.c.thread == bindparam("of_thread"),
    )
    .values(urgent=True)
)
_BODY = select(outbox.c.body).where(
    outbox.c.workspace == bindparam("in_workspace"), outbox.c.key == bindparam("of_key")
)
_PRUNE = delete(outbox).where(outbox.c.settled_at < bindparam("before"))
_BACKLOG = select(func.count(), func.min(outbox.c.created_at)).where(UNSENT, heads.RIPE)


def _row(post: NewPost, now: datetime) -> dict[str, Any]:
    """Lay a new message out as a row."""
    row = {field.name: getattr(post, field.name) for field in fields(NewPost)}
    return row | {
        "key": sabotage.key(post.key),
        "lane": lane_of(post.workspace, post.channel),
        "aimed": post.kind is not PostKind.UPDATE or "ts" in post.body,
        "state": PostState.READY,
        "version": 1,
        "attempts": 0,
        "doubtful": False,
        "error": "",
        "created_at": now,
    }


def _posts(rows: Iterable[Row[Any]]) -> list[Post]:
    """Build the records: posts before cards, the most urgent first."""
    posts = (Post(**row._mapping) for row in rows)  # noqa: SLF001  SQLAlchemy's public name
    order = lambda post: (post.kind is PostKind.UPDATE, not post.urgent, post.id)  # noqa: E731
    return sorted(posts, key=order)


def _lanes(lanes: tuple[int, int]) -> dict[str, Any]:
    return {"lane_no": lanes[0], "lanes": lanes[1]}


class Outbox:
    """The messages on their way, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, posts: Iterable[NewPost], now: datetime) -> int:
        """Write messages down in their order; return how many had a key not known before.

        What an urgent one has to wait for in its thread is as urgent from then on.
        """
        rows = [_row(post, now) for post in posts]
        if not rows:
            return 0
        added = len((await self._connection.execute(_ADD, rows)).all())
        for row in rows:
            if row["urgent"] and added:
                bound = {"in_workspace": row["workspace"], "of_thread": row["thread"]}
                await self._connection.execute(_HURRY, bound)
        return added

    async def add_claimed(self, post: NewPost, claim: Claim, now: datetime) -> Post | None:
        """Write down the first message of a thread as claimed already; None: its key is known.

        Whoever adds it sends it once that is committed; nobody has to find it first.
        """
        held = {"attempts": 1, "deadline": claim.deadline, "adopt_at": claim.adopt_at}
        row = _row(post, now) | held | {"state": PostState.SENDING}
        id_ = (await self._connection.execute(_ADD, row)).scalar()
        own = {name: value for name, value in row.items() if name != "aimed"}
        return None if id_ is None else Post(id=id_, **own)

    async def replace(self, post: NewPost, now: datetime) -> None:
        """Write a message down, in the place of the one with its key if there is one.

        One that is being sent stays so, and is ready again once that is over.
        """
        await self._connection.execute(_REPLACE, _row(post, now))

    async def due(
        self, *, lanes: tuple[int, int], now: datetime, limit: int, cards: bool = True
    ) -> list[Post]:
        """Return the heads of threads to be sent now in lane k of n: posts, then cards.

        The urgent go first. A claim whose time to be adopted has come is among them; an update
        whose target is not known yet is not. Of what need not be looked up, the body is left out.
        """
        bound = _lanes(lanes) | {"at": now, "most": limit, "cards": cards}
        return _posts(await self._connection.execute(heads.DUE, bound))

    async def next_due(self, lanes: tuple[int, int], now: datetime) -> datetime | None:
        """Return when the next head of lane k of n may be sent or adopted, at the earliest now."""
        first = (await self._connection.execute(heads.NEXT_DUE, _lanes(lanes))).scalar()
        return None if first is None else max(first, now)

    async def next_later(self, lanes: tuple[int, int], now: datetime) -> datetime | None:
        """Return the same, of what may not be sent yet."""
        bound = _lanes(lanes) | {"at": now}
        later: datetime | None = (await self._connection.execute(heads.LATER, bound)).scalar()
        return later

    async def claim(
        self, ids: Collection[int], *, now: datetime, deadline: datetime, adopt_at: datetime
    ) -> list[Post]:
        """Take those of these messages that are still heads and due; an adopted one is doubtful."""
        bound = {"rows": list(ids), "at": now, "until": deadline, "adopted": adopt_at}
        claimed = list((await self._connection.execute(heads.CLAIM, bound)).scalars())
        if not claimed:
            return []
        return _posts(await self._connection.execute(heads.BY_IDS, {"rows": claimed}))

    async def sent(self, post: Post, *, ts: str | None, now: datetime) -> bool:
        """Note that Slack has our claim; False if it is no longer ours."""
        ours = await self._settled(claims.SENT, post, ts=ts, error="", now=now)
        if ours and post.roots_watch and ts is not None:
            await self._rooted(post, ts)
        return ours

    async def _rooted(self, post: Post, ts: str) -> None:
        """Note where a card stands: that of one watch, or that of all on a board.

        A card can become a board while it is on its way.
        """
        board_id = post.board_id
        if board_id is None:
            rooted = await self._connection.execute(_ROOTED, {"row": post.watch_id, "ts": ts})
            board_id = rooted.scalar()
        if board_id is not None:
            for statement in (_BOARD, _ON_BOARD):
                await self._connection.execute(statement, {"row": board_id, "ts": ts})

    async def postpone(
        self, post: Post, *, due_at: datetime, doubtful: bool, error: str, now: datetime
    ) -> bool:
        """Give our claim back until then, at the earliest now; False if it is no longer ours."""
        bound = claims.of(post) | {"later": max(due_at, now), "maybe": doubtful, "why": error}
        return (await self._connection.execute(claims.POSTPONE, bound)).rowcount == 1

    async def behind(self, post: Post) -> list[Post]:
        """Return what else its thread has to be told about a message's watch, in its order."""
        bound = {
            "in_workspace": post.workspace,
            "of_thread": post.thread,
            "of_watch": post.watch_id,
            "row": post.id,
        }
        rows = await self._connection.execute(_BEHIND, bound)
        return [Post(**row._mapping) for row in rows]  # noqa: SLF001  SQLAlchemy's public name

    async def gather(
        self, post: Post, body: dict[str, Any], others: Collection[Post], now: datetime
    ) -> bool:
        """Let our claim say what these others would; False if it is no longer ours."""
        bound = claims.of(post) | {"says": body}
        if (await self._connection.execute(claims.SAY, bound)).rowcount != 1:
            return False
        dropped = {"rows": [p.id for p in others], "at": now, "why": f"told with {post.key}"}
        await self._connection.execute(_SAID_WITH, dropped)
        return True

    async def park(self, post: Post, *, error: str, now: datetime) -> bool:
        """Set our claim aside for a person; False if it is no longer ours."""
        return await self._settled(claims.PARK, post, ts=None, error=error, now=now)

    async def park_thread(self, workspace: str, thread: str, error: str, now: datetime) -> int:
        """Set aside all that is unsent in a thread, claims too; return how many messages."""
        bound = {"in_workspace": workspace, "of_thread": thread, "why": error, "at": now}
        return (await self._connection.execute(claims.PARK_THREAD, bound)).rowcount

    async def drop_thread(self, workspace: str, thread: str, error: str, now: datetime) -> int:
        """Give up all that is unsent in a thread, claims too; return how many messages."""
        bound = {"in_workspace": workspace, "of_thread": thread, "why": error, "at": now}
        return (await self._connection.execute(claims.DROP_THREAD, bound)).rowcount

    async def body(self, workspace: str, key: str) -> dict[str, Any] | None:
        """Return what the message of a key says, however far it has come; None: it is forgotten."""
        bound = {"in_workspace": workspace, "of_key": key}
        body: dict[str, Any] | None = (await self._connection.execute(_BODY, bound)).scalar()
        return body

    async def reopen(self, adopt_at: datetime) -> int:
        """Let every claim be adopted from then on; return how many.

        For the start of a store that nobody else can have open: whoever held them is gone.
        """
        return (await self._connection.execute(claims.REOPEN, {"from_then": adopt_at})).rowcount

    async def prune(self, before: datetime) -> int:
        """Forget what was sent, parked or dropped before then; return how many messages."""
        return (await self._connection.execute(_PRUNE, {"before": before})).rowcount

    async def backlog(self, now: datetime) -> tuple[int, datetime | None]:
        """Return how many messages should be out by now, and when the oldest was written."""
        count, oldest = (await self._connection.execute(_BACKLOG, {"at": now})).one()
        return count, oldest

    async def _settled(
        self, statement: Update, post: Post, *, ts: str | None, error: str, now: datetime
    ) -> bool:
        bound = claims.of(post) | {"at_version": post.version, "ts": ts, "why": error, "at": now}
        return (await self._connection.execute(statement, bound)).rowcount == 1
