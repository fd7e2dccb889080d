"""SQL that ends outbox claims.

The attempts and the deadline together identify a claim, since `replace` resets the attempts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, func, or_, update

from bot.store import outbox_queries
from bot.store.records import MessageState
from bot.store.tables import UNSENT, outbox

if TYPE_CHECKING:
    from sqlalchemy import Update

    from bot.store.records import OutboxMessage

OURS = (
    outbox.c.id == bindparam("row"),
    outbox_queries.SENDING,
    outbox.c.attempts == bindparam("at_attempts"),
    outbox.c.deadline == bindparam("at_deadline"),
)
EXPIRE = (
    update(outbox)
    .where(UNSENT, outbox_queries.SENDING, outbox.c.reclaim_at > bindparam("from_then"))
    .values(reclaim_at=bindparam("from_then"))
)
_NO_CLAIM = {"deadline": None, "reclaim_at": None}


def _end_claim(state: MessageState) -> Update:
    """End a claim for good; if a newer body came meanwhile, the message is ready again."""
    newest = outbox.c.version == bindparam("at_version")
    return (
        update(outbox)
        .where(*OURS)
        .values(
            state=case((newest, state), else_=MessageState.READY),
            settled_at=case((newest, bindparam("at", type_=outbox.c.settled_at.type)), else_=None),
            attempts=case((newest, outbox.c.attempts), else_=0),
            sent_ts=func.coalesce(bindparam("ts"), outbox.c.sent_ts),
            error=bindparam("why"),
            unconfirmed=False,
            **_NO_CLAIM,
        )
    )


SENT, DEAD_LETTER = map(_end_claim, (MessageState.SENT, MessageState.DEAD_LETTER))
POSTPONE = (
    update(outbox)
    .where(*OURS)
    .values(
        state=MessageState.READY,
        due_at=bindparam("later"),
        unconfirmed=bindparam("is_unconfirmed"),
        error=bindparam("why"),
        **_NO_CLAIM,
    )
)
_END_THREAD = (
    update(outbox)
    .where(
        UNSENT,
        outbox.c.workspace == bindparam("in_workspace"),
        outbox.c.ordering_key == bindparam("of_thread"),
    )
    .values(
        settled_at=bindparam("at"),
        error=bindparam("why"),
        unconfirmed=or_(outbox.c.unconfirmed, outbox_queries.SENDING),
        **_NO_CLAIM,
    )
)
DEAD_LETTER_THREAD = _END_THREAD.values(state=MessageState.DEAD_LETTER)
DROP_THREAD = _END_THREAD.values(state=MessageState.DROPPED)
SET_BODY = update(outbox).where(*OURS).values(body=bindparam("new_body", type_=outbox.c.body.type))


def claim_params(message: OutboxMessage) -> dict[str, Any]:
    """Return the parameters that identify a claim."""
    return {"row": message.id, "at_attempts": message.attempts, "at_deadline": message.deadline}
