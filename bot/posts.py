"""What a watch says in Slack, as rows of the outbox: card, follow-ups, reaction. Pure."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.store import NewPost, PostKind, Watch, WatchState

if TYPE_CHECKING:
    from datetime import datetime

    from bot.asks import Ask
    from bot.models import Job, Message
    from bot.noise.decision import Decision
    from bot.store import Board, Decided
    from bot.told import About


def thread_of(watch: Watch) -> str:
    """Return the name under which a watch's messages keep their order; a board's share one."""
    return f"watch:{watch.board_id or watch.id}"


def new_watch(ask: Ask, workspace: str, job: Job, *, card_ts: str | None = None) -> Watch:
    """Return the promise to follow a job where it was asked for."""
    return Watch(
        id=uuid.uuid4().hex,
        workspace=workspace,
        channel=ask.channel,
        thread_ts=ask.thread_ts,
        card_ts=card_ts,
        ref=job.ref,
        asker=ask.user,
        asked_at=ask.at,
        state=WatchState.ACTIVE,
        ended_at=None,
        reason="",
    )


def quiet_watch(ask: Ask, workspace: str, job: Job) -> Watch:
    """Return the promise to tell a job's state by reactions on the message that asked for it."""
    watch = new_watch(ask, workspace, job)
    return replace(watch, said_ts=ask.said_ts, thread_ts=ask.thread_ts or ask.said_ts)


def root(watch: Watch, message: Message, ask: Ask, now: datetime, about: About) -> NewPost:
    """Return the card that opens a watch; if Slack refuses it, the asker hears why."""
    return NewPost(
        key=f"{watch.id}:root",
        workspace=watch.workspace,
        channel=watch.channel,
        thread=thread_of(watch),
        kind=PostKind.POST,
        body={"message": message.model_dump(), "about": about, **ask.way_back()},
        watch_id=watch.id,
        roots_watch=True,
        due_at=now,
        reason=f"asked for by {ask.user}",
    )


def card(
    watch: Watch, message: Message, now: datetime, about: About, *, urgent: bool = False
) -> NewPost:
    """Return the update of a watch's card; a newer one takes its place while it waits."""
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
    """Return the name under which the messages of all watches of a board keep their order."""
    return f"watch:{board.id}"


def keys_of_board(board: Board) -> tuple[str, str]:
    """Return the keys of a board's message: of its post, and of its updates."""
    return f"{board.id}:root", f"{board.id}:card"


def board_root(board: Board, message: Message, ask: Ask, now: datetime, about: About) -> NewPost:
    """Return the message that opens a board; if Slack refuses it, the asker hears why."""
    return NewPost(
        key=keys_of_board(board)[0],
        workspace=board.workspace,
        channel=board.channel,
        thread=thread_of_board(board),
        kind=PostKind.POST,
        body={"message": message.model_dump(), "about": about, **ask.way_back()},
        board_id=board.id,
        roots_watch=True,
        due_at=now,
        reason=f"asked for by {ask.user}",
    )


def board_update(
    board: Board, message: Message, now: datetime, about: About, *, urgent: bool = False
) -> NewPost:
    """Return the update of a board; a newer one takes its place while it waits.

    A board that was a card goes by that card's id, so that it takes the place of its updates, too.
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
    """Return a follow-up in a watch's thread; a loud one is also shown in the channel."""
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
    """Return the reaction on the asker's message, and those that it takes the place of."""
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


def held(decided: Decided, decision: Decision, thread: str, now: datetime) -> NewPost:
    """Return the follow-up that was held back, to be said after all."""
    return NewPost(
        key=decided.key,
        workspace=decided.workspace,
        channel=decided.channel,
        thread=thread,
        kind=PostKind.POST,
        body={**(decided.body or {}), "broadcast": decision.loud},
        watch_id=decided.watch_id,
        due_at=now,
        reason=decision.reason,
    )
