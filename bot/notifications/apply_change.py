"""Applies a settings change and re-evaluates deferred notifications, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.notifications import settings_text
from bot.notifications.deferred import reevaluate
from bot.notifications.settings_patch import apply_patch, defaults, overrides

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.notifications.effective_settings import ChannelSettings
    from bot.notifications.notifier import Notifier
    from bot.sdk.models import Message
    from bot.store import Transaction

MAX_ATTEMPTS = 3  # when several users change the same settings concurrently


@dataclass(frozen=True)
class SettingsChange:
    """A change of one channel's settings: the patch, the user and the time."""

    workspace: str
    channel: str
    user: str
    at: datetime
    changes: Mapping[str, Any] | None  # field to JSON value; None: reset to the defaults
    revision: int | None = None  # expected revision of the settings; None: any


async def apply(tx: Transaction, notices: Notifier, change: SettingsChange) -> Message:
    """Change the settings in the transaction of the request, and return the reply.

    Nothing is changed if another user has changed the settings since this user read them.
    """
    workspace, channel = change.workspace, change.channel
    for _ in range(MAX_ATTEMPTS):
        before = await notices.channel_settings(tx, workspace, channel)
        if change.revision not in (None, before.revision):
            break
        new_overrides = _new_overrides(notices, before, change)
        if new_overrides == before.overrides:
            return settings_text.render_change(before, before)
        if await tx.channel_settings.replace(
            workspace,
            channel,
            new_overrides,
            change.user,
            change.at,
            expected_revision=before.revision,
        ):
            await reevaluate(tx, notices, workspace, channel, change.at)
            return settings_text.render_change(
                before, await notices.channel_settings(tx, workspace, channel)
            )
    return settings_text.conflict(await notices.channel_settings(tx, workspace, channel))


def _new_overrides(
    notices: Notifier, before: ChannelSettings, change: SettingsChange
) -> dict[str, Any]:
    """Return the overrides to store; none if the channel returns to the defaults.

    The row is kept even without overrides: its revision must keep growing, so that an outdated
    form is detected.
    """
    base = defaults(notices.settings, change.channel)
    if change.changes is None:
        return {}
    return overrides(base, apply_patch(before.policy, change.changes))
