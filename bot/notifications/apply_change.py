"""Applies a settings change and re-evaluates deferred notifications, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.notifications import settings_text
from bot.notifications.deferred import redecide
from bot.notifications.settings_patch import amended, defaults, own_values

if TYPE_CHECKING:
    from datetime import datetime

    from bot.commands.actions import Agree
    from bot.notifications.effective_settings import Contract
    from bot.notifications.notifier import Notices
    from bot.sdk.models import Message
    from bot.store import Transaction

MAX_ATTEMPTS = 3  # when several users change the same settings concurrently


@dataclass(frozen=True)
class Agreement:
    """A change of one channel's settings: the patch, the user and the time."""

    workspace: str
    channel: str
    user: str
    part: Agree
    at: datetime


async def conclude(tx: Transaction, notices: Notices, change: Agreement) -> Message:
    """Change the settings in the transaction of the request, and return the reply.

    Nothing is changed if another user has changed the settings since this user read them.
    """
    workspace, channel = change.workspace, change.channel
    for _ in range(MAX_ATTEMPTS):
        before = await notices.contract(tx, workspace, channel)
        if change.part.revision not in (None, before.revision):
            break
        new_overrides = _new_overrides(notices, before, change)
        if new_overrides == before.own:
            return settings_text.changed(before, before)
        if await tx.contracts.set(
            workspace, channel, new_overrides, change.user, change.at, over=before.revision
        ):
            await redecide(tx, notices, workspace, channel, change.at)
            return settings_text.changed(before, await notices.contract(tx, workspace, channel))
    return settings_text.overtaken(await notices.contract(tx, workspace, channel))


def _new_overrides(notices: Notices, before: Contract, change: Agreement) -> dict[str, Any]:
    """Return the overrides to store; none if the channel returns to the defaults.

    The row is kept even without overrides: its revision must keep growing, so that an outdated
    form is detected.
    """
    base = defaults(notices.notify, change.channel)
    patch = change.part.changes
    return {} if patch is None else own_values(base, amended(before.policy, patch))
