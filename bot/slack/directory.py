"""The workspace's people and user groups: asked for when needed, remembered for a minute."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from bot.errors import SlackRefused

if TYPE_CHECKING:
    from datetime import datetime

    from bot.clock import Clock

log = logging.getLogger(__name__)

FRESH_SECONDS = 60.0  # that an answer is used: who has become an admin may change things soon


@dataclass(frozen=True)
class Person:
    """A person, as far as contracts go."""

    admin: bool  # of the workspace, or its owner
    zone: str  # such as Europe/Berlin; may be empty


@dataclass(frozen=True)
class Group:
    """People who are called together."""

    id: str
    handle: str  # what is written after the @
    name: str


class WebApi(Protocol):
    """Slack's Web API, as the directory needs it."""

    async def call(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Call a method; raises SlackError."""
        ...


class Directory:
    """Asks Slack who somebody is, and which user groups there are."""

    def __init__(self, api: WebApi, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._people: dict[str, tuple[Person, datetime]] = {}
        self._groups: tuple[tuple[Group, ...], datetime] | None = None

    async def is_admin(self, user: str) -> bool:
        """Whether somebody is an admin or owner of the workspace; raises SlackError."""
        return (await self.person(user)).admin

    async def person(self, user: str) -> Person:
        """Return what Slack knows of a person; raises SlackError."""
        known = self._people.get(user)
        if known is not None and self._is_fresh(known[1]):
            return known[0]
        answer = await self._api.call("users.info", {"user": user})
        person = _person(answer.get("user") or {})
        self._people = {u: seen for u, seen in self._people.items() if self._is_fresh(seen[1])}
        self._people[user] = (person, self._clock.now())
        return person

    async def groups(self) -> tuple[Group, ...]:
        """Return the user groups; none where Slack does not let the bot see them."""
        if self._groups is None or not self._is_fresh(self._groups[1]):
            self._groups = (await self._listed(), self._clock.now())
        return self._groups[0]

    def handle(self, id_: str) -> str:
        """Return "@oncall" for a group's id as far as it is known, without asking for it."""
        groups = self._groups[0] if self._groups else ()
        return next((f"@{group.handle}" for group in groups if group.id == id_), id_)

    async def _listed(self) -> tuple[Group, ...]:
        try:
            answer = await self._api.call("usergroups.list", {})
        except SlackRefused as error:
            log.warning("Slack does not list the user groups: %s", error.code)
            return ()
        return tuple(
            Group(str(row["id"]), str(row.get("handle", "")), str(row.get("name", "")))
            for row in answer.get("usergroups") or ()
        )

    def _is_fresh(self, at: datetime) -> bool:
        return (self._clock.now() - at).total_seconds() < FRESH_SECONDS


def _person(user: dict[str, Any]) -> Person:
    admin = bool(user.get("is_admin") or user.get("is_owner"))
    return Person(admin, str(user.get("tz") or ""))
