"""Builds outbox messages for cards, replies, reactions, boards. Pure."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.store import NewPost, PostKind, Watch, WatchState

if TYPE_CHECKING:
    from datetime import datetime

    from bot.commands.request import Ask
    from bot.delivery.message_metadata import About
    from bot.notifications.decision import Decision
    from bot.sdk.models import Job, Message
    from bot.store import Board, Decided


def thread_of(watch: Watch) -> str:
    """Return the ordering key of a watch's messages; watches of one board share a key."""
    return f"watch:{watch.board_id or watch.id}"


def new_watch(request: Ask, workspace: str, job: Job, *, card_ts: str | None = None) -> Watch:
    """Return a watch of a job in the thread of the request."""
    return Watch(
        id=uuid.uuid4().hex,
        workspace=workspace,
        channel=request.channel,
        thread_ts=request.thread_ts,
        card_ts=card_ts,
        ref=job.ref,
        asker=request.user,
        asked_at=request.at,
        state=WatchState.ACTIVE,
        ended_at=None,
        reason="",
    )


def quiet_watch(request: Ask, workspace: str, job: Job) -> Watch:
    """Return a watch that shows the job's status as reactions on the request's message."""
    watch = new_watch(request, workspace, job)
    return replace(watch, said_ts=request.said_ts, thread_ts=request.thread_ts or request.said_ts)


def root(watch: Watch, message: Message, request: Ask, now: datetime, about: About) -> NewPost:
    """Return the post of a watch's card. If Slack rejects it, the requester is notified."""
    return NewPost(
        key=f"{watch.id}:root",
        workspace=watch.workspace,
        channel=watch.channel,
        thread=thread_of(watch),
        kind=PostKind.POST,
        body={"message": message.model_dump(), "about": about, **request.way_back()},
        watch_id=watch.id,
        roots_watch=True,
        due_at=now,
        reason=f"asked for by {request.user}",
    )


def card(
    watch: Watch, message: Message, now: datetime, about: About, *, urgent: bool = False
) -> NewPost:
    """Return the update of a watch's card; a newer one replaces it while it is pending."""
    return NewPost(
        key=f"{watch.id}:card",
        workspace=watch.workspace,
        channel=watch.channel,
        thread=f"card:{watch.id}",
        kind=PostKind.UPDATE,
        body={"message": message.model_dump(), "about": about},
        watch_id=watch.id,
        urgent=urgent,
        due_at=now,
        reason="the job looks different",
    )


def thread_of_board(board: Board) -> str:
    """Return the ordering key of a board's messages."""
    return f"watch:{board.id}"


def keys_of_board(board: Board) -> tuple[str, str]:
    """Return the idempotency keys of a board's post and of its updates."""
    return f"{board.id}:root", f"{board.id}:card"


def board_root(
    board: Board, message: Message, request: Ask, now: datetime, about: About
) -> NewPost:
    """Return the post of a board. If Slack rejects it, the requester is notified."""
    return NewPost(
        key=keys_of_board(board)[0],
        workspace=board.workspace,
        channel=board.channel,
        thread=thread_of_board(board),
        kind=PostKind.POST,
        body={"message": message.model_dump(), "about": about, **request.way_back()},
        board_id=board.id,
        roots_watch=True,
        due_at=now,
        reason=f"asked for by {request.user}",
    )


def board_update(
    board: Board, message: Message, now: datetime, about: About, *, urgent: bool = False
) -> NewPost:
    """Return the update of a board; a newer one replaces it while it is pending.

    A board made from a card has the card's id, so it also replaces the card's pending updates.
    """
    return NewPost(
        key=keys_of_board(board)[1],
        workspace=board.workspace,
        channel=board.channel,
        thread=f"card:{board.id}",
        kind=PostKind.UPDATE,
        body={"message": message.model_dump(), "about": about},
        board_id=board.id,
        urgent=urgent,
        due_at=now,
        reason="a job looks different",
    )


def reply(
    watch: Watch,
    key: str,
    message: Message,
    now: datetime,
    *,
    reason: str,
    about: About | None = None,
    loud: bool = False,
    urgent: bool = False,
) -> NewPost:
    """Return a reply in a watch's thread; `loud` also broadcasts it to the channel."""
    return NewPost(
        key=f"{watch.id}:{key}",
        workspace=watch.workspace,
        channel=watch.channel,
        thread=thread_of(watch),
        kind=PostKind.POST,
        body={
            "message": message.model_dump(),
            "broadcast": loud,
            "asker": watch.asker,
            "about": about or {},
        },
        watch_id=watch.id,
        urgent=urgent,
        due_at=now,
        reason=reason,
    )


def reaction(watch: Watch, key: str, names: list[str], now: datetime, *, reason: str) -> NewPost:
    """Return the reactions that the request's message shall have; they replace the others."""
    return NewPost(
        key=f"{watch.id}:{key}",
        workspace=watch.workspace,
        channel=watch.channel,
        thread=f"reaction:{watch.id}",
        kind=PostKind.REACTION,
        body={"ts": watch.said_ts, "names": names},
        watch_id=watch.id,
        due_at=now,
        reason=reason,
    )


def held(record: Decided, decision: Decision, thread: str, now: datetime) -> NewPost:
    """Return the message that releases a deferred reply."""
    return NewPost(
        key=record.key,
        workspace=record.workspace,
        channel=record.channel,
        thread=thread,
        kind=PostKind.POST,
        body={**(record.body or {}), "broadcast": decision.loud},
        watch_id=record.watch_id,
        due_at=now,
        reason=decision.reason,
    )
