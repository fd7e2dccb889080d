"""Deferred notifications: re-evaluated when the settings change, released or settled once.

A deferred notification is released by the process whose compare-and-set (`redecide`) succeeds.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from bot.delivery.messages import deferred_reply, ordering_key, reaction
from bot.notifications.decision import JOB_MISSING_REACTION, Context, Decision, Event, evaluate
from bot.sdk.formatting import REACTIONS
from bot.sdk.models import Status
from bot.store import BoardKind, DeliveryAction, EventKind, MessageKind, WatchState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bot.notifications.notifier import Notifier
    from bot.notifications.policy import NotificationPolicy
    from bot.store import Board, DecisionRecord, OutboxMessage, Transaction, Watch

_HISTORY_LIMIT = 50  # the newest decisions of a watch that are examined
_COMPLETE_KINDS = (EventKind.OUTCOME, EventKind.JOB_MISSING)  # an outcome names the failed tasks
# Events that no later thread reply supersedes.
_NEVER_SUPERSEDED = (EventKind.RUN, EventKind.OUTCOME, EventKind.JOB_MISSING)
_MESSAGE_DELETED = "message_not_found"  # Slack's error for a message that was deleted


async def reevaluate_all(tx: Transaction, notices: Notifier, now: datetime) -> None:
    """Re-evaluate all deferred notifications, as after a change of the bot's settings."""
    for workspace, channel in await tx.decisions.channels_with_deferred():
        await reevaluate(tx, notices, workspace, channel, now)


async def reevaluate(
    tx: Transaction, notices: Notifier, workspace: str, channel: str, now: datetime
) -> None:
    """Re-evaluate the deferred notifications of a channel, in the transaction of its new settings.

    The caller wakes the outbox dispatcher and the digest worker after the commit.
    """
    policy = (await notices.channel_settings(tx, workspace, channel)).policy
    for decided in await tx.decisions.deferred(workspace, channel):
        decision = await _reevaluate_one(tx, notices, decided, now)
        if not _awaits_digest(policy, decided, decision, now):
            await _apply(tx, decided, decision, now)


async def select_for_digest(
    tx: Transaction, due: Iterable[DecisionRecord], now: datetime
) -> list[DecisionRecord]:
    """Return the due decisions that belong in a digest; settle the others without it."""
    return [decided for decided in due if not await _settle_without_digest(tx, decided, now)]


async def on_digest_rejected(
    tx: Transaction, post: OutboxMessage, code: str, now: datetime
) -> bool:
    """Release a rejected digest's items. Return False if the message is no digest.

    After a rejected first message, they go to their threads, where rejections are handled as usual.
    After a rejected update, they go into a new digest.
    """
    board = await tx.boards.get(post.board_id) if post.board_id else None
    if board is None or board.kind is not BoardKind.DIGEST:
        return False
    await tx.boards.close(board.id, now)
    await tx.outbox.drop_thread(post.workspace, post.ordering_key, error=code, now=now)
    if post.kind is MessageKind.UPDATE:
        await tx.decisions.return_to_deferred(board.id, await _still_shown(tx, board, code), now)
    else:
        await _release_to_threads(tx, board, code, now)
    return True


def digest_idempotency_key(board: Board) -> str:
    """Return the idempotency key of a digest's first message; also its ordering key."""
    return f"digest:{board.id}"


async def _still_shown(tx: Transaction, board: Board, code: str) -> list[str]:
    """Return the keys of the decisions that a digest, which cannot be updated, still shows."""
    if code == _MESSAGE_DELETED:
        return []
    body = await tx.outbox.latest_body(board.workspace, digest_idempotency_key(board))
    return list(body["tells"]) if body else []


async def _release_to_threads(tx: Transaction, board: Board, code: str, now: datetime) -> None:
    decisions = await tx.decisions.of_board(board.id)
    await tx.decisions.return_to_deferred(board.id, [], now)
    for decided in decisions:
        if not await _settle_without_digest(tx, decided, now):
            reason = f"Slack refused the digest: {code}."
            await _apply(tx, decided, _post_in_thread(decided, reason), now)


def _post_in_thread(decided: DecisionRecord, reason: str) -> Decision:
    """Return the decision to post in the thread, with the original broadcast flag."""
    broadcast = bool((decided.body or {}).get("broadcast"))
    return Decision(
        action=DeliveryAction.POST, rule=decided.rule, reason=reason, broadcast=broadcast
    )


async def _reevaluate_one(
    tx: Transaction, notices: Notifier, decided: DecisionRecord, now: datetime
) -> Decision:
    policy, context = await notices.load_context(
        tx, decided.workspace, decided.channel, decided.ref.connection, decided.series, now
    )
    watch = await tx.watches.get(decided.watch_id)
    context = Context(
        now=context.now,
        recent_posts=context.recent_posts,
        previously_failed=decided.previously_failed,
        can_react=bool(watch and watch.uses_reactions),
        stopped=_is_unfollowed(watch),
    )
    event = Event(kind=decided.event_kind, failed=decided.failed)
    decision = evaluate(policy, event, context)
    superseded = decision.action is DeliveryAction.POST and await _superseded(tx, decided)
    return _SUPERSEDED if superseded else decision


_SUPERSEDED = Decision(
    action=DeliveryAction.UPDATE,
    rule="follow_ups",
    reason="The thread has heard something newer meanwhile. The card shows it.",
)
_UNFOLLOWED = Decision(
    action=DeliveryAction.DROP,
    rule="stopped",
    reason="Somebody stopped the following meanwhile.",
)


def _awaits_digest(
    policy: NotificationPolicy, decided: DecisionRecord, decision: Decision, now: datetime
) -> bool:
    """Whether its quiet hours have ended, so that their digest is about to include it."""
    quiet = policy.quiet_hours
    over = (
        decided.action is DeliveryAction.DEFER
        and decided.deferred_until is not None
        and decided.deferred_until <= now
    )
    shown = decision.action in (DeliveryAction.POST, DeliveryAction.DIGEST)
    return over and shown and not (quiet and quiet.end_after(now))


def _is_unfollowed(watch: Watch | None) -> bool:
    return watch is None or bool(watch.stopped_by)


async def _superseded(tx: Transaction, decided: DecisionRecord) -> bool:
    """Whether the thread already has a newer reply, after which this one would mislead."""
    if decided.event_kind in _NEVER_SUPERSEDED:
        return False
    superseding = _COMPLETE_KINDS if decided.failed else (*_COMPLETE_KINDS, EventKind.CHANGE)
    newest_first = await tx.decisions.of_watch(decided.watch_id, _HISTORY_LIMIT)
    newer = takewhile(lambda other: other.idempotency_key != decided.idempotency_key, newest_first)
    return any(o.action is DeliveryAction.POST and o.event_kind in superseding for o in newer)


async def _settle_without_digest(tx: Transaction, decided: DecisionRecord, now: datetime) -> bool:
    """Settle what no digest shows: unfollowed, superseded, or of an unreachable thread."""
    watch = await tx.watches.get(decided.watch_id)
    if watch is not None and _is_unfollowed(watch):
        await _apply(tx, decided, _UNFOLLOWED, now)
    elif await _superseded(tx, decided):
        await _apply(tx, decided, _SUPERSEDED, now)
    elif watch is not None and (error := await _unreachable_reason(tx, watch)):
        reason = f"Slack takes nothing for this thread: {error}."
        await _apply(tx, decided, _post_in_thread(decided, reason), now)
    else:
        return False
    return True


async def _apply(
    tx: Transaction, decided: DecisionRecord, decision: Decision, now: datetime
) -> None:
    """Store the new decision; deliver it if the compare-and-set succeeds."""
    waits = decision.action in (DeliveryAction.DEFER, DeliveryAction.DIGEST)
    redecided = replace(
        decided,
        action=decision.action,
        rule=decision.rule,
        reason=decision.reason,
        deferred_until=(decision.until or now) if waits else None,
        board_id=None,
        # A reply that is posted now counts toward the current hour's limit.
        decided_at=now if decision.action is DeliveryAction.POST else decided.decided_at,
    )
    if redecided == decided or not await tx.decisions.redecide(redecided):
        return
    if decision.action is DeliveryAction.POST:
        await _enqueue_reply(tx, redecided, decision, now)
    elif decision.action is DeliveryAction.REACT:
        await _enqueue_reaction(tx, redecided, decision, now)


async def _enqueue_reply(
    tx: Transaction, decided: DecisionRecord, decision: Decision, now: datetime
) -> None:
    """Enqueue the deferred thread reply; in an unreachable thread it becomes a dead letter."""
    watch = await tx.watches.get(decided.watch_id)
    thread = ordering_key(watch) if watch else f"watch:{decided.watch_id}"
    post = deferred_reply(
        decided, thread, now, broadcast=decision.broadcast, reason=decision.reason
    )
    await tx.outbox.add([post], now)
    if watch is not None and (error := await _unreachable_reason(tx, watch)):
        await tx.outbox.dead_letter_thread(watch.workspace, thread, error=error, now=now)


async def _unreachable_reason(tx: Transaction, watch: Watch) -> str:
    """Return why a thread is unreachable; empty if it is reachable."""
    if watch.state is WatchState.UNREACHABLE:
        return watch.reason
    dead_letters = await tx.dead_letters.messages(watch)
    return dead_letters[0].error if dead_letters else ""


async def _enqueue_reaction(
    tx: Transaction, decided: DecisionRecord, decision: Decision, now: datetime
) -> None:
    """Replace the status reaction on the asker's message."""
    watch = await tx.watches.get(decided.watch_id)
    if watch is None or not watch.uses_reactions:
        return
    name = _reaction(decided)
    before = await tx.decisions.of_watch(watch.id, _HISTORY_LIMIT)
    others = {_reaction(o) for o in before if o.action is DeliveryAction.REACT and o.body} - {name}
    key = decided.idempotency_key.removeprefix(f"{watch.id}:")
    names = [name, *sorted(others)]
    await tx.outbox.add([reaction(watch, key, names, now, reason=decision.reason)], now)


def _reaction(decided: DecisionRecord) -> str:
    about: dict[str, Any] = (decided.body or {}).get("about") or {}
    word = str(about.get("status", ""))
    known = decided.event_kind is not EventKind.JOB_MISSING and word in set(Status)
    return REACTIONS[Status(word)] if known else JOB_MISSING_REACTION
