"""User cache: one call a minute for each user and for the groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.sdk.errors import SlackRejected
from bot.sdk.testing import ManualClock
from bot.slack.users import UserCache, UserGroup

pytestmark = pytest.mark.anyio


@dataclass
class Api:
    """Fake Web API that records its calls."""

    responses: dict[str, Any] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    async def call(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the prepared response, or raise it if it is an error."""
        self.calls.append(f"{method} {arguments.get('user', '')}".strip())
        answer = self.responses[method]
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)


def person(**fields: Any) -> dict[str, Any]:
    return {"users.info": {"ok": True, "user": {"id": "U1", **fields}}}


@pytest.mark.parametrize("right", ["is_admin", "is_owner"])
async def test_admins_and_owners_are_admins(right: str) -> None:
    """Owners may do what admins may."""
    assert await UserCache(Api(person(**{right: True})), ManualClock()).is_admin("U1")
    assert not await UserCache(Api(person(**{right: False})), ManualClock()).is_admin("U1")


async def test_user_is_loaded_once_a_minute() -> None:
    """A new admin has permission within a minute."""
    api, clock = Api(person(tz="Europe/Berlin")), ManualClock()
    directory = UserCache(api, clock)
    assert (await directory.get_user("U1")).time_zone == "Europe/Berlin"
    await directory.is_admin("U1")
    await clock.advance(61)
    await directory.is_admin("U1")
    assert api.calls == ["users.info U1", "users.info U1"]


async def test_rejected_look_up_of_a_user_raises_and_is_not_cached() -> None:
    """A user who cannot be loaded is never taken for an admin."""
    api = Api({"users.info": SlackRejected("No.", code="missing_scope")})
    directory = UserCache(api, ManualClock())
    for _ in range(2):
        with pytest.raises(SlackRejected):
            await directory.is_admin("U1")
    assert len(api.calls) == 2


async def test_user_groups_are_loaded_once_and_have_handles() -> None:
    """An unknown group is shown by its id."""
    rows = [{"id": "S1", "handle": "oncall", "name": "On call"}]
    api = Api({"usergroups.list": {"ok": True, "usergroups": rows}})
    directory = UserCache(api, ManualClock())
    assert directory.group_handle("S1") == "S1"
    assert await directory.get_groups() == (UserGroup("S1", "oncall", "On call"),)
    await directory.get_groups()
    assert (directory.group_handle("S1"), directory.group_handle("S2")) == ("@oncall", "S2")
    assert len(api.calls) == 1


async def test_rejected_list_of_user_groups_is_cached_as_empty() -> None:
    """Slack is not called at every keystroke."""
    api = Api({"usergroups.list": SlackRejected("No.", code="missing_scope")})
    directory = UserCache(api, ManualClock())
    assert await directory.get_groups() == ()
    assert await directory.get_groups() == ()
    assert len(api.calls) == 1
