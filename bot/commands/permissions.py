"""Who may change channel settings."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.sdk.errors import SlackError, SlackRefused, trail

if TYPE_CHECKING:
    from typing import Literal

log = logging.getLogger(__name__)

ADMINS_ONLY = "Here only the workspace's admins may change this; everybody may read it."
NOT_NOW = "Slack does not say just now whether you are an admin. Try again in a minute."
NEVER = (
    "I cannot see who is an admin here, so I change nothing. Whoever runs this bot can mend that:"
    " `jobthread check` tells how."
)


class People(Protocol):
    """Looks up the admins of the workspace."""

    async def is_admin(self, user: str) -> bool:
        """Whether a user is an admin or owner of the workspace; raises SlackError."""
        ...


@dataclass(frozen=True)
class Rights:
    """Decides who may change channel settings. Everybody may read them."""

    who: Literal["members", "admins"]
    people: People

    async def refusal(self, user: str, channel: str) -> str:
        """Return why a user may not change the channel's settings; empty if they may.

        In direct messages with the bot, the user always may.
        """
        if self.who == "members" or channel.startswith("D"):
            return ""
        try:
            return "" if await self.people.is_admin(user) else ADMINS_ONLY
        except SlackError as error:
            log.warning("admin lookup failed: %s", trail(error))
            return NEVER if isinstance(error, SlackRefused) else NOT_NOW
