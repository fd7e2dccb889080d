"""Who may change channel settings."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.sdk.errors import SlackError, SlackRejected, origin

if TYPE_CHECKING:
    from typing import Literal

log = logging.getLogger(__name__)

ADMINS_ONLY = "Here only the workspace's admins may change this; everybody may read it."
TRY_LATER = "Slack does not say just now whether you are an admin. Try again in a minute."
CANNOT_VERIFY = (
    "I cannot see who is an admin here, so I change nothing. The operator of this bot can fix that:"
    " `jobthread check` tells how."
)


class AdminLookup(Protocol):
    """Looks up the admins of the workspace."""

    async def is_admin(self, user: str) -> bool:
        """Whether a user is an admin or owner of the workspace; raises SlackError."""
        ...


@dataclass(frozen=True)
class Permissions:
    """Decides who may change channel settings. Everybody may read them."""

    allowed: Literal["members", "admins"]
    admins: AdminLookup

    async def denial_reason(self, user: str, channel: str) -> str:
        """Return why a user may not change the channel's settings; empty if they may.

        In direct messages with the bot, the user always may.
        """
        if self.allowed == "members" or channel.startswith("D"):
            return ""
        try:
            return "" if await self.admins.is_admin(user) else ADMINS_ONLY
        except SlackError as error:
            log.warning("admin lookup failed: %s", origin(error))
            return CANNOT_VERIFY if isinstance(error, SlackRejected) else TRY_LATER
