"""SQL that selects the next messages of the outbox and claims them.

The next message of an ordering key is its oldest unsent one.
"""

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

from bot.store.column_types import in_literals
from bot.store.records import MessageKind, MessageState, OutboxMessage
from bot.store.tables import UNSENT, boards, outbox, watches

READY = outbox.c.state == MessageState.READY
SENDING = outbox.c.state == MessageState.SENDING
IS_DUE = or_(
    and_(READY, outbox.c.due_at <= bindparam("at")),
    and_(SENDING, outbox.c.reclaim_at <= bindparam("at")),
)
_OF_WATCH = {
    "card_ts": func.coalesce(watches.c.card_ts, boards.c.message_ts),
    "watch_thread_ts": func.coalesce(watches.c.thread_ts, boards.c.thread_ts),
}
OUTBOX_COLUMNS = tuple(
    outbox.c[field.name] for field in fields(OutboxMessage) if field.name not in _OF_WATCH
)
# Bodies cost far more to read than the other columns. Only the lookup of an unconfirmed message
# needs its body.
_NO_BODY = type_coerce(literal_column("'{}'"), outbox.c.body.type)
_DUE_COLUMNS = tuple(
    case((or_(outbox.c.unconfirmed, SENDING), column), else_=_NO_BODY).label("body")
    if column is outbox.c.body
    else column
    for column in OUTBOX_COLUMNS
)
_JOINED_COLUMNS = tuple(column.label(name) for name, column in _OF_WATCH.items())

# One scan of the index of unsent messages finds them all; a subquery for each row is far slower.
_NEXT = (
    select(func.min(outbox.c.id).label("id"))
    .where(UNSENT)
    .group_by(outbox.c.workspace, outbox.c.ordering_key)
    .subquery("next_messages")
)
_FROM_NEXT = (
    _NEXT.join(outbox, outbox.c.id == _NEXT.c.id)
    .outerjoin(watches, watches.c.id == outbox.c.watch_id)
    .outerjoin(boards, boards.c.id == outbox.c.board_id)
)
_DELIVERABLE = (
    outbox.c.lane % bindparam("lanes") == bindparam("lane_no"),
    or_(outbox.c.has_target, watches.c.card_ts.is_not(None), boards.c.message_ts.is_not(None)),
)
_earlier = outbox.alias("earlier")
_IS_NEXT = ~exists().where(
    _earlier.c.workspace == outbox.c.workspace,
    _earlier.c.ordering_key == outbox.c.ordering_key,
    _earlier.c.id < outbox.c.id,
    in_literals(_earlier.c.state, MessageState.READY, MessageState.SENDING),
)

SELECT_DUE = (
    select(*_DUE_COLUMNS, *_JOINED_COLUMNS)
    .select_from(_FROM_NEXT)
    .where(*_DELIVERABLE, IS_DUE, or_(bindparam("cards"), outbox.c.kind != MessageKind.UPDATE))
    # Card updates have their own rate limit: while they wait for it, they must not hide posts.
    .order_by(outbox.c.kind == MessageKind.UPDATE, outbox.c.urgent.desc(), outbox.c.id)
    .limit(bindparam("most"))
)
_DUE_AT = case((READY, outbox.c.due_at), else_=outbox.c.reclaim_at)
NEXT_DUE = select(func.min(_DUE_AT)).select_from(_FROM_NEXT).where(*_DELIVERABLE)
NEXT_LATER = NEXT_DUE.where(bindparam("at", type_=outbox.c.due_at.type) < _DUE_AT)
_CLAIMABLE = (
    select(outbox.c.id)
    .where(outbox.c.id.in_(bindparam("rows", expanding=True)), IS_DUE, _IS_NEXT)
    .order_by(outbox.c.id)
    .with_for_update(skip_locked=True)
    .cte("claimable")
)
CLAIM = (
    update(outbox)
    .where(outbox.c.id.in_(select(_CLAIMABLE.c.id)))
    .values(
        state=MessageState.SENDING,
        attempts=outbox.c.attempts + 1,
        unconfirmed=or_(outbox.c.unconfirmed, SENDING),
        deadline=bindparam("until"),
        reclaim_at=bindparam("reclaimable_at"),
    )
    .returning(outbox.c.id)
)
BY_IDS = (
    select(*OUTBOX_COLUMNS, *_JOINED_COLUMNS)
    .join_from(outbox, watches, watches.c.id == outbox.c.watch_id, isouter=True)
    .join(boards, boards.c.id == outbox.c.board_id, isouter=True)
    .where(outbox.c.id.in_(bindparam("rows", expanding=True)))
)
