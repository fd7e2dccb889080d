"""The heads of threads, as SQL: which messages may be sent next, and how one of them is claimed."""

from __future__ import annotations

from dataclasses import fields

from sqlalchemy import (
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
    update,
)

from bot.store.columns import among
from bot.store.records import Post, PostKind, PostState
from bot.store.tables import UNSENT, boards, outbox, watches

READY = outbox.c.state == PostState.READY
SENDING = outbox.c.state == PostState.SENDING
RIPE = or_(
    and_(READY, outbox.c.due_at <= bindparam("at")),
    and_(SENDING, outbox.c.adopt_at <= bindparam("at")),
)
_OF_WATCH = {
    "card_ts": func.coalesce(watches.c.card_ts, boards.c.message_ts),
    "watch_thread_ts": func.coalesce(watches.c.thread_ts, boards.c.thread_ts),
}
OWN = tuple(outbox.c[field.name] for field in fields(Post) if field.name not in _OF_WATCH)
# Choosing what to send takes no bodies, which cost far more than the rest; but where a message is
# to be looked up depends on them.
_UNSAID = type_coerce(literal_column("'{}'"), outbox.c.body.type)
_LIGHT = tuple(
    case((or_(outbox.c.doubtful, SENDING), column), else_=_UNSAID).label("body")
    if column is outbox.c.body
    else column
    for column in OWN
)
_JOINED = tuple(column.label(name) for name, column in _OF_WATCH.items())

# One walk along the index of the unsent finds every head; a search for each row is far slower.
_HEADS = (
    select(func.min(outbox.c.id).label("id"))
    .where(UNSENT)
    .group_by(outbox.c.workspace, outbox.c.thread)
    .subquery("heads")
)
_FROM_HEADS = (
    _HEADS.join(outbox, outbox.c.id == _HEADS.c.id)
    .outerjoin(watches, watches.c.id == outbox.c.watch_id)
    .outerjoin(boards, boards.c.id == outbox.c.board_id)
)
_DELIVERABLE = (
    outbox.c.lane % bindparam("lanes") == bindparam("lane_no"),
    or_(outbox.c.aimed, watches.c.card_ts.is_not(None), boards.c.message_ts.is_not(None)),
)
_earlier = outbox.alias("earlier")
_IS_HEAD = ~exists().where(
    _earlier.c.workspace == outbox.c.workspace,
    _earlier.c.thread == outbox.c.thread,
    _earlier.c.id < outbox.c.id,
    among(_earlier.c.state, PostState.READY, PostState.SENDING),
)

DUE = (
    select(*_LIGHT, *_JOINED)
    .select_from(_FROM_HEADS)
    .where(*_DELIVERABLE, RIPE, or_(bindparam("cards"), outbox.c.kind != PostKind.UPDATE))
    # Cards have a bucket of their own: while they wait for it, they keep nothing out of sight.
    .order_by(outbox.c.kind == PostKind.UPDATE, outbox.c.urgent.desc(), outbox.c.id)
    .limit(bindparam("most"))
)
_DUE_AT = case((READY, outbox.c.due_at), else_=outbox.c.adopt_at)
NEXT_DUE = select(func.min(_DUE_AT)).select_from(_FROM_HEADS).where(*_DELIVERABLE)
LATER = NEXT_DUE.where(bindparam("at", type_=outbox.c.due_at.type) < _DUE_AT)
_FREE = (
    select(outbox.c.id)
    .where(outbox.c.id.in_(bindparam("rows", expanding=True)), RIPE, _IS_HEAD)
    .order_by(outbox.c.id)
    .with_for_update(skip_locked=True)
    .cte("free")
)
CLAIM = (
    update(outbox)
    .where(outbox.c.id.in_(select(_FREE.c.id)))
    .values(
        state=PostState.SENDING,
        attempts=outbox.c.attempts + 1,
        doubtful=or_(outbox.c.doubtful, SENDING),
        deadline=bindparam("until"),
        adopt_at=bindparam("adopted"),
    )
    .returning(outbox.c.id)
)
BY_IDS = (
    select(*OWN, *_JOINED)
    .join_from(outbox, watches, watches.c.id == outbox.c.watch_id, isouter=True)
    .join(boards, boards.c.id == outbox.c.board_id, isouter=True)
    .where(outbox.c.id.in_(bindparam("rows", expanding=True)))
)
