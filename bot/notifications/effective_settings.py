"""Effective channel settings and the origin of each value. No I/O.

Four layers: built in, `[notify]`, `[notify.channels.C…]`, the channel's own overrides. A later
layer overrides an earlier one, field by field.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from bot.notifications.policy import NotificationPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.notifications.policy import NotifySettings
    from bot.store import ChannelOverrides

FIELDS = tuple(NotificationPolicy.model_fields)


class Origin(StrEnum):
    """The layer that a value comes from."""

    BUILT_IN = "built in"
    BOT_DEFAULTS = "from the settings of this bot"
    BOT_CHANNEL_DEFAULTS = "from the settings of this bot, for this channel"
    CHANNEL = "set in this channel"


@dataclass(frozen=True)
class ChannelSettings:
    """The effective policy of one channel, and the origin of each value."""

    policy: NotificationPolicy = field(default_factory=NotificationPolicy)
    origins: Mapping[str, Origin] = field(default_factory=dict)  # a missing field is built in
    set_by: str = ""  # id of the user who last changed the overrides
    revision: int = 0  # number of changes to the overrides

    @property
    def overrides(self) -> dict[str, Any]:
        """Return the channel's overrides as JSON values."""
        names = {name for name, origin in self.origins.items() if origin is Origin.CHANNEL}
        return self.policy.model_dump(mode="json", include=names)

    def origin(self, name: str) -> Origin:
        """Return the origin of a field's value."""
        return self.origins.get(name, Origin.BUILT_IN)


def resolve(notify: NotifySettings, channel: str, own: ChannelOverrides | None) -> ChannelSettings:
    """Return the effective settings of a channel with these overrides."""
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for origin, layer in (
        (Origin.BOT_DEFAULTS, notify.defaults),
        (Origin.BOT_CHANNEL_DEFAULTS, notify.channels.get(channel, {})),
        (Origin.CHANNEL, own.values if own else {}),
    ):
        known = {name: value for name, value in layer.items() if name in FIELDS}
        values |= known
        origins |= dict.fromkeys(known, origin)
    policy = NotificationPolicy.model_validate(values)
    return ChannelSettings(policy, origins, own.set_by if own else "", own.revision if own else 0)
