"""Agreements: a channel's contract changed, and what is held there decided anew, all at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.channels import charter
from bot.channels.held import redecide
from bot.noise.amendments import amended, defaults, own_values

if TYPE_CHECKING:
    from datetime import datetime

    from bot.channels.notices import Notices
    from bot.models import Message
    from bot.noise.contracts import Contract
    from bot.parts import Agree
    from bot.store import Transaction

MOST_TRIES = 3  # where several people change one contract at the same moment


@dataclass(frozen=True)
class Agreement:
    """A change of one channel's contract: whose it is, and when."""

    workspace: str
    channel: str
    user: str
    part: Agree
    at: datetime


async def conclude(tx: Transaction, notices: Notices, agreement: Agreement) -> Message:
    """Change a contract in the transaction of its question, and return what to say of it.

    A change of a contract that somebody else has changed since it was read changes nothing.
    """
    workspace, channel = agreement.workspace, agreement.channel
    for _ in range(MOST_TRIES):
        before = await notices.contract(tx, workspace, channel)
        if agreement.part.revision not in (None, before.revision):
            break
        own = _own(notices, before, agreement)
        if own == before.own:
            return charter.changed(before, before)
        if await tx.contracts.set(
            workspace, channel, own, agreement.user, agreement.at, over=before.revision
        ):
            await redecide(tx, notices, workspace, channel, agreement.at)
            return charter.changed(before, await notices.contract(tx, workspace, channel))
    return charter.overtaken(await notices.contract(tx, workspace, channel))


def _own(notices: Notices, before: Contract, agreement: Agreement) -> dict[str, Any]:
    """Return what the channel is to set itself: nothing where it goes by the defaults.

    Its row stays even then: the revision goes on counting, so that nobody's old form passes for
    new.
    """
    beneath = defaults(notices.notify, agreement.channel)
    changes = agreement.part.changes
    return {} if changes is None else own_values(beneath, amended(before.policy, changes))
