"""What becomes of claims on messages, as SQL: settled, given back, adopted, or set aside.

A claim is told from another by its attempts and its deadline together, since `replace` starts
counting the attempts again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, func, or_, update

from bot.store import heads
from bot.store.records import PostState
from bot.store.tables import UNSENT, outbox

if TYPE_CHECKING:
    from sqlalchemy import Update

    from bot.store.records import Post

OURS = (
    outbox.c.id == bindparam("row"),
    heads.SENDING,
    outbox.c.attempts == bindparam("at_attempts"),
    outbox.c.deadline == bindparam("at_deadline"),
)
REOPEN = (
    update(outbox)
    .where(UNSENT, heads.SENDING, outbox.c.adopt_at > bindparam("from_then"))
    .values(adopt_at=bindparam("from_then"))
)
_NO_CLAIM = {"deadline": None, "adopt_at": None}


def _settle(state: PostState) -> Update:
    """End a claim for good, unless a newer body came meanwhile: then that one is ready."""
    newest = outbox.c.version == bindparam("at_version")
    return (
        update(outbox)
        .where(*OURS)
        .values(
            state=case((newest, state), else_=PostState.READY),
            settled_at=case((newest, bindparam("at", type_=outbox.c.settled_at.type)), else_=None),
            attempts=case((newest, outbox.c.attempts), else_=0),
            sent_ts=func.coalesce(bindparam("ts"), outbox.c.sent_ts),
            error=bindparam("why"),
            doubtful=False,
            **_NO_CLAIM,
        )
    )


SENT, PARK = map(_settle, (PostState.SENT, PostState.PARKED))
POSTPONE = (
    update(outbox)
    .where(*OURS)
    .values(
        state=PostState.READY,
        due_at=bindparam("later"),
        doubtful=bindparam("maybe"),
        error=bindparam("why"),
        **_NO_CLAIM,
    )
)
_END_THREAD = (
    update(outbox)
    .where(
        UNSENT,
        outbox.c.workspace == bindparam("in_workspace"),
        outbox.c.thread == bindparam("of_thread"),
    )
    .values(
        settled_at=bindparam("at"),
        error=bindparam("why"),
        doubtful=or_(outbox.c.doubtful, heads.SENDING),
        **_NO_CLAIM,
    )
)
PARK_THREAD = _END_THREAD.values(state=PostState.PARKED)
DROP_THREAD = _END_THREAD.values(state=PostState.DROPPED)
SAY = update(outbox).where(*OURS).values(body=bindparam("says", type_=outbox.c.body.type))


def of(post: Post) -> dict[str, Any]:
    """Return what tells a claim from others."""
    return {"row": post.id, "at_attempts": post.attempts, "at_deadline": post.deadline}
