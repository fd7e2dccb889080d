"""Which noise policy holds in a channel, and where each of its values comes from. Pure.

Built in, then `[notify]`, then `[notify.channels.C…]`, then what the channel set itself: the later
wins, value by value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from bot.noise.policy import NoisePolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.settings import NotifySettings
    from bot.store import ChannelContract

FIELDS = tuple(NoisePolicy.model_fields)


class Origin(StrEnum):
    """Where a value of a contract comes from."""

    BUILT_IN = "built in"
    SETTINGS = "from the settings of this bot"
    CHANNEL_SETTINGS = "from the settings of this bot, for this channel"
    CHANNEL = "set in this channel"


@dataclass(frozen=True)
class Contract:
    """What one channel hears, and why each value is what it is."""

    policy: NoisePolicy = field(default_factory=NoisePolicy)
    origins: Mapping[str, Origin] = field(default_factory=dict)  # a field left out is built in
    set_by: str = ""  # the user id of who last changed the channel's own values
    revision: int = 0  # counts the channel's own changes

    @property
    def own(self) -> dict[str, Any]:
        """Return what the channel itself sets, as JSON takes it."""
        names = {name for name, origin in self.origins.items() if origin is Origin.CHANNEL}
        return self.policy.model_dump(mode="json", include=names)

    def origin(self, name: str) -> Origin:
        """Return where a field's value comes from."""
        return self.origins.get(name, Origin.BUILT_IN)


def contract(notify: NotifySettings, channel: str, own: ChannelContract | None) -> Contract:
    """Return what holds in a channel, given what the channel itself has set."""
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for origin, layer in (
        (Origin.SETTINGS, notify.defaults),
        (Origin.CHANNEL_SETTINGS, notify.channels.get(channel, {})),
        (Origin.CHANNEL, own.values if own else {}),
    ):
        known = {name: value for name, value in layer.items() if name in FIELDS}
        values |= known
        origins |= dict.fromkeys(known, origin)
    policy = NoisePolicy.model_validate(values)
    return Contract(policy, origins, own.set_by if own else "", own.revision if own else 0)
