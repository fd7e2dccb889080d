"""Team, app, users, user groups and channels. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from datetime import datetime

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Team:
    """The team: id, name and domain."""

    id: str = "T0PLAYGRND"
    name: str = "Playground"
    domain: str = "local-slack"


@dataclass(frozen=True, slots=True)
class App:
    """The app under test, as Slack knows it."""

    id: str = "A0JOBTHREAD"
    bot_id: str = "B0JOBTHREAD"
    scopes: tuple[str, ...] = (
        "app_mentions:read",
        "channels:history",
        "chat:write",
        "commands",
        "groups:history",
        "im:history",
        "im:write",
        "reactions:write",
        "usergroups:read",
        "users:read",
    )


@dataclass(frozen=True, slots=True)
class User:
    """A person, or the bot user."""

    id: str
    name: str
    is_bot: bool = False
    zone: str = "Etc/UTC"  # an IANA name
    is_admin: bool = False
    is_owner: bool = False  # owners are admins too

    def as_slack(self, team: Team, now: datetime) -> Json:
        """Return the user as `users.info` returns it at `now`."""
        profile = {"real_name": self.name.title(), "display_name": self.name, "team": team.id}
        local = now.astimezone(ZoneInfo(self.zone))
        offset = local.utcoffset()
        return {
            "id": self.id,
            "team_id": team.id,
            "name": self.name,
            "deleted": False,
            "real_name": self.name.title(),
            "tz": self.zone,
            "tz_label": local.tzname(),
            "tz_offset": int(offset.total_seconds()) if offset else 0,
            "profile": profile,
            "is_admin": self.is_admin or self.is_owner,
            "is_owner": self.is_owner,
            "is_primary_owner": False,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "is_restricted": False,
            "is_ultra_restricted": False,
        }


@dataclass(frozen=True, slots=True)
class UserGroup:
    """A user group."""

    id: str
    handle: str  # the mention, without the @
    name: str
    users: tuple[str, ...]
    is_disabled: bool = False

    def as_slack(self, team: Team, *, users: bool = False, count: bool = False) -> Json:
        """Return the group as `usergroups.list` returns it."""
        shown: Json = {
            "id": self.id,
            "team_id": team.id,
            "is_usergroup": True,
            "is_subteam": True,
            "name": self.name,
            "description": "",
            "handle": self.handle,
            "is_external": False,
            "date_create": 0,
            "date_update": 0,
            "date_delete": int(self.is_disabled),  # Unix seconds; 0 is never
            "auto_type": None,
            "prefs": {"channels": [], "groups": []},
        }
        shown |= {"users": list(self.users)} if users else {}
        return shown | ({"user_count": len(self.users)} if count else {})


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel or direct message, with its members."""

    id: str
    name: str
    members: frozenset[str]
    is_im: bool = False
    is_private: bool = False
    is_archived: bool = False

    @property
    def kind(self) -> str:
        """Return the events' `channel_type`."""
        if self.is_im:
            return "im"
        return "group" if self.is_private else "channel"

    @property
    def subscription(self) -> str:
        """Return the event subscription that covers its messages."""
        return {"im": "message.im", "group": "message.groups", "channel": "message.channels"}[
            self.kind
        ]

    @property
    def payload_name(self) -> str:
        """Return the name that slash commands and interaction payloads contain."""
        return {"im": "directmessage", "group": "privategroup", "channel": self.name}[self.kind]

    def as_slack(self, bot: str) -> Json:
        """Return the channel as `conversations.info` returns it."""
        base = {
            "id": self.id,
            "is_im": self.is_im,
            "is_private": self.is_private,
            "is_archived": self.is_archived,
        }
        if self.is_im:
            return {**base, "user": next(iter(self.members - {bot}), bot)}
        return {
            **base,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": not self.is_private,
            "is_group": self.is_private,
            "is_member": bot in self.members,
            "is_general": self.name == "general",
            "num_members": len(self.members),
        }


ADA = User("U0ADA", "ada")
BEN = User("U0BEN", "ben", zone="Asia/Shanghai")
GRACE = User("U0GRACE", "grace", zone="Europe/Berlin", is_admin=True)
BOT = User("U0JOBTHREAD", "jobthread", is_bot=True)
USERS = (ADA, BEN, GRACE, BOT)
USER_GROUPS = (
    UserGroup("S0DEPLOYERS", "deployers", "Deployers", (ADA.id, BEN.id)),
    UserGroup("S0ONCALL", "oncall", "On call", (GRACE.id,)),
)

_ALL = frozenset(user.id for user in USERS)
CHANNELS = (
    Channel("C0DEPLOYS", "deploys", _ALL),
    Channel("C0GENERAL", "general", _ALL),
    Channel("C0PRIVOPS", "private-ops", _ALL - {BOT.id}, is_private=True),
    Channel("D0ADA", "jobthread", frozenset({ADA.id, BOT.id}), is_im=True),
)
