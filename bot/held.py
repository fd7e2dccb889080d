"""What is held back: decided anew when a channel changes its contract, neither lost nor twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot import noise
from bot.noise import Action, News
from bot.posts import held

if TYPE_CHECKING:
    from datetime import datetime

    from bot.noise import Decision
    from bot.notices import Notices
    from bot.store import Decided, Transaction


async def redecide(
    tx: Transaction, notices: Notices, workspace: str, channel: str, now: datetime
) -> None:
    """Decide anew about all that is held in a channel, in the transaction of the new contract."""
    for decided in await tx.decisions.held(workspace, channel):
        decision = await _decision(tx, notices, decided, now)
        await _carry_out(tx, decided, decision, now)


async def _decision(tx: Transaction, notices: Notices, decided: Decided, now: datetime) -> Decision:
    news = News(happening=decided.happening, bad=decided.bad)
    policy, context = await notices.surroundings(
        tx, decided.workspace, decided.channel, decided.ref.connection, decided.series, now
    )
    watch = await tx.watches.get(decided.watch_id)
    stopped = watch is None or watch.reason.startswith("stopped by")
    return noise.decide(policy, news, context.but(stopped=stopped, was_bad=decided.was_bad))


async def _carry_out(tx: Transaction, decided: Decided, decision: Decision, now: datetime) -> None:
    """Write the new decision down; whoever tells it first is the one who told it."""
    waits = decision.action in (Action.HOLD, Action.DIGEST)
    again = replace(
        decided,
        action=decision.action,
        rule=decision.rule,
        reason=decision.reason,
        until=(decision.until or now) if waits else None,
    )
    if await tx.decisions.again(again) and decision.action is Action.POST:
        await tx.outbox.add([held(again, decision, now)], now)
