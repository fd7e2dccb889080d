"""What is held back: decided anew when a contract changes, or told at last; not lost, not twice.

Whoever settles a decision that is held, by `again`, is the one who tells it.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from bot.models import Status
from bot.noise.decision import LOST_REACTION, Action, Decision, Happening, News, decide
from bot.posts import held, reaction, thread_of
from bot.store import BoardKind, PostKind, WatchState
from bot.words import REACTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bot.channels.notices import Notices
    from bot.noise.policy import NoisePolicy
    from bot.store import Board, Decided, Post, Transaction, Watch

_LOOKED_BACK = 50  # decisions about a watch, when it is asked what was told after another
_TELLS_ALL = (Happening.OUTCOME, Happening.LOST)  # an outcome names the steps that failed
# What stands for itself: a later follow-up about the job does not tell it as well.
_LASTS = (Happening.RUN, Happening.OUTCOME, Happening.LOST)
_GONE = "message_not_found"  # Slack's word for a digest that somebody deleted, with all it told


async def redecide_all(tx: Transaction, notices: Notices, now: datetime) -> None:
    """Decide anew about all that is held anywhere, as after a change of the settings."""
    for workspace, channel in await tx.decisions.places():
        await redecide(tx, notices, workspace, channel, now)


async def redecide(
    tx: Transaction, notices: Notices, workspace: str, channel: str, now: datetime
) -> None:
    """Decide anew about all that is held in a channel, in the transaction of the new contract.

    Afterwards the outbox and the digests want to be woken.
    """
    policy = (await notices.contract(tx, workspace, channel)).policy
    for decided in await tx.decisions.held(workspace, channel):
        decision = await _decision(tx, notices, decided, now)
        if not _waits_for_its_digest(policy, decided, decision, now):
            await _carry_out(tx, decided, decision, now)


async def fit(tx: Transaction, ripe: Iterable[Decided], now: datetime) -> list[Decided]:
    """Return what a digest is to tell of what is ripe; the rest is settled otherwise."""
    return [decided for decided in ripe if not await _otherwise(tx, decided, now)]


async def refused(tx: Transaction, post: Post, code: str, now: datetime) -> bool:
    """Tell otherwise what Slack does not take as a digest; False if the message is none.

    The first message: in the threads, where all goes its usual way if Slack refuses that as well.
    A change of it: in a new digest.
    """
    board = await tx.boards.get(post.board_id) if post.board_id else None
    if board is None or board.kind is not BoardKind.DIGEST:
        return False
    await tx.boards.close(board.id, now)
    await tx.outbox.drop_thread(post.workspace, post.thread, error=code, now=now)
    if post.kind is PostKind.UPDATE:
        await tx.decisions.take_back(board.id, await _stands(tx, board, code), now)
    else:
        await _dissolve(tx, board, code, now)
    return True


def digest_key(board: Board) -> str:
    """Return the key of a digest's first message, and the thread of all its messages."""
    return f"digest:{board.id}"


async def _stands(tx: Transaction, board: Board, code: str) -> list[str]:
    """Return the keys of what a digest goes on telling that cannot be changed any more."""
    if code == _GONE:
        return []
    body = await tx.outbox.body(board.workspace, digest_key(board))
    return list(body["tells"]) if body else []


async def _dissolve(tx: Transaction, board: Board, code: str, now: datetime) -> None:
    told = await tx.decisions.of_board(board.id)
    await tx.decisions.take_back(board.id, [], now)
    for decided in told:
        if not await _otherwise(tx, decided, now):
            reason = f"Slack refused the digest: {code}."
            await _carry_out(tx, decided, _follow_up(decided, reason), now)


def _follow_up(decided: Decided, reason: str) -> Decision:
    """Return that it is said in its thread after all, as loud as it was to be."""
    loud = bool((decided.body or {}).get("broadcast"))
    return Decision(action=Action.POST, rule=decided.rule, reason=reason, loud=loud)


async def _decision(tx: Transaction, notices: Notices, decided: Decided, now: datetime) -> Decision:
    policy, context = await notices.surroundings(
        tx, decided.workspace, decided.channel, decided.ref.connection, decided.series, now
    )
    watch = await tx.watches.get(decided.watch_id)
    context = context.but(
        stopped=_stopped(watch),
        was_bad=decided.was_bad,
        can_react=bool(watch and watch.said_ts),
    )
    news = News(happening=decided.happening, bad=decided.bad)
    decision = decide(policy, news, context)
    late = decision.action is Action.POST and await _overtaken(tx, decided)
    return _LATE if late else decision


_LATE = Decision(
    action=Action.UPDATE,
    rule="follow_ups",
    reason="The thread has heard something newer meanwhile. The card shows it.",
)
_STOPPED = Decision(
    action=Action.DROP,
    rule="stopped",
    reason="Somebody stopped the following meanwhile.",
)


def _waits_for_its_digest(
    policy: NoisePolicy, decided: Decided, decision: Decision, now: datetime
) -> bool:
    """Whether its quiet hours are over, so that the digest of them is about to tell it."""
    quiet = policy.quiet_hours
    over = decided.action is Action.HOLD and decided.until is not None and decided.until <= now
    told = decision.action in (Action.POST, Action.DIGEST)
    return over and told and not (quiet and quiet.end_after(now))


def _stopped(watch: Watch | None) -> bool:
    return watch is None or bool(watch.stopper)


async def _overtaken(tx: Transaction, decided: Decided) -> bool:
    """Whether the thread has heard something newer, after which this would mislead."""
    if decided.happening in _LASTS:
        return False
    enough = _TELLS_ALL if decided.bad else (*_TELLS_ALL, Happening.CHANGE)
    newest_first = await tx.decisions.of_watch(decided.watch_id, _LOOKED_BACK)
    newer = takewhile(lambda other: other.key != decided.key, newest_first)
    return any(o.action is Action.POST and o.happening in enough for o in newer)


async def _otherwise(tx: Transaction, decided: Decided, now: datetime) -> bool:
    """Settle what no digest is to tell: stopped, overtaken, or of a thread that is silent."""
    watch = await tx.watches.get(decided.watch_id)
    if watch is not None and _stopped(watch):
        await _carry_out(tx, decided, _STOPPED, now)
    elif await _overtaken(tx, decided):
        await _carry_out(tx, decided, _LATE, now)
    elif watch is not None and (silence := await _silence(tx, watch)):
        reason = f"Slack takes nothing for this thread: {silence}."
        await _carry_out(tx, decided, _follow_up(decided, reason), now)
    else:
        return False
    return True


async def _carry_out(tx: Transaction, decided: Decided, decision: Decision, now: datetime) -> None:
    """Write the new decision down; whoever tells it first is the one who told it."""
    waits = decision.action in (Action.HOLD, Action.DIGEST)
    again = replace(
        decided,
        action=decision.action,
        rule=decision.rule,
        reason=decision.reason,
        until=(decision.until or now) if waits else None,
        board_id=None,
        # What is said now counts among what is said within this hour.
        at=now if decision.action is Action.POST else decided.at,
    )
    if again == decided or not await tx.decisions.again(again):
        return
    if decision.action is Action.POST:
        await _say(tx, again, decision, now)
    elif decision.action is Action.REACT:
        await _react(tx, again, decision, now)


async def _say(tx: Transaction, decided: Decided, decision: Decision, now: datetime) -> None:
    """Say a follow-up after all; in a silent thread it waits with what waits there already."""
    watch = await tx.watches.get(decided.watch_id)
    thread = thread_of(watch) if watch else f"watch:{decided.watch_id}"
    await tx.outbox.add([held(decided, decision, thread, now)], now)
    if watch is not None and (silence := await _silence(tx, watch)):
        await tx.outbox.park_thread(watch.workspace, thread, error=silence, now=now)


async def _silence(tx: Transaction, watch: Watch) -> str:
    """Return why Slack takes nothing for a thread, or nothing if it does."""
    if watch.state is WatchState.PARKED:
        return watch.reason
    parked = await tx.parked.messages(watch)
    return parked[0].error if parked else ""


async def _react(tx: Transaction, decided: Decided, decision: Decision, now: datetime) -> None:
    """Give the asker's message the reaction of a status, in the place of those before it."""
    watch = await tx.watches.get(decided.watch_id)
    if watch is None or not watch.said_ts:
        return
    name = _reaction(decided)
    before = await tx.decisions.of_watch(watch.id, _LOOKED_BACK)
    others = {_reaction(o) for o in before if o.action is Action.REACT and o.body} - {name}
    key = decided.key.removeprefix(f"{watch.id}:")
    names = [name, *sorted(others)]
    await tx.outbox.add([reaction(watch, key, names, now, reason=decision.reason)], now)


def _reaction(decided: Decided) -> str:
    about: dict[str, Any] = (decided.body or {}).get("about") or {}
    word = str(about.get("status", ""))
    known = decided.happening is not Happening.LOST and word in set(Status)
    return REACTIONS[Status(word)] if known else LOST_REACTION
