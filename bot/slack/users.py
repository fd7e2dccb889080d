"""Users and user groups of the workspace, cached for a minute."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from bot.sdk.errors import SlackRejected

if TYPE_CHECKING:
    from bot.sdk.clock import Clock

log = logging.getLogger(__name__)

CACHE_SECONDS = 60.0  # cache lifetime; short, so that a new admin soon has permission


@dataclass(frozen=True)
class User:
    """A user: admin flag and time zone."""

    admin: bool  # of the workspace, or its owner
    time_zone: str  # IANA name such as Europe/Berlin; may be empty


@dataclass(frozen=True)
class UserGroup:
    """A user group."""

    id: str
    handle: str  # written after the @
    name: str


class WebApi(Protocol):
    """The part of Slack's Web API that the cache uses."""

    async def call(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Call a method; raises SlackError."""
        ...


class UserCache:
    """Loads and caches users and user groups."""

    def __init__(self, api: WebApi, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        # Each value with the monotonic time at which it was loaded.
        self._users: dict[str, tuple[User, float]] = {}
        self._groups: tuple[tuple[UserGroup, ...], float] | None = None

    async def is_admin(self, user: str) -> bool:
        """Whether the user is an admin or owner of the workspace; raises SlackError."""
        return (await self.get_user(user)).admin

    async def get_user(self, user: str) -> User:
        """Return a user; raises SlackError."""
        cached = self._users.get(user)
        if cached is not None and self._is_fresh(cached[1]):
            return cached[0]
        answer = await self._api.call("users.info", {"user": user})
        person = _parse_user(answer.get("user") or {})
        self._users = {u: c for u, c in self._users.items() if self._is_fresh(c[1])}
        self._users[user] = (person, self._clock.monotonic())
        return person

    async def get_groups(self) -> tuple[UserGroup, ...]:
        """Return the user groups, or none if the bot may not list them."""
        if self._groups is None or not self._is_fresh(self._groups[1]):
            self._groups = (await self._load_groups(), self._clock.monotonic())
        return self._groups[0]

    def group_handle(self, id_: str) -> str:
        """Return "@oncall" for a cached group, else the id; makes no call."""
        groups = self._groups[0] if self._groups else ()
        return next((f"@{group.handle}" for group in groups if group.id == id_), id_)

    async def _load_groups(self) -> tuple[UserGroup, ...]:
        try:
            answer = await self._api.call("usergroups.list", {})
        except SlackRejected as error:
            log.warning("cannot list the user groups: %s", error.code)
            return ()
        return tuple(
            UserGroup(str(row["id"]), str(row.get("handle", "")), str(row.get("name", "")))
            for row in answer.get("usergroups") or ()
        )

    def _is_fresh(self, at: float) -> bool:
        return self._clock.monotonic() - at < CACHE_SECONDS


def _parse_user(user: dict[str, Any]) -> User:
    admin = bool(user.get("is_admin") or user.get("is_owner"))
    return User(admin, str(user.get("tz") or ""))
