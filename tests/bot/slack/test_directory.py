"""Who somebody is, and which groups there are: asked for once a minute at most."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.errors import SlackRefused
from bot.slack.directory import Directory, Group
from bot.testing import ManualClock

pytestmark = pytest.mark.anyio


@dataclass
class Api:
    """Answers as Slack does, and remembers what it was asked."""

    answers: dict[str, Any] = field(default_factory=dict)
    called: list[str] = field(default_factory=list)

    async def call(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Answer; raises what is to be raised."""
        self.called.append(f"{method} {arguments.get('user', '')}".strip())
        answer = self.answers[method]
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)


def person(**fields: Any) -> dict[str, Any]:
    return {"users.info": {"ok": True, "user": {"id": "U1", **fields}}}


@pytest.mark.parametrize("right", ["is_admin", "is_owner"])
async def test_admins_and_owners_are_admins(right: str) -> None:
    """Owners may do what admins may."""
    assert await Directory(Api(person(**{right: True})), ManualClock()).is_admin("U1")
    assert not await Directory(Api(person(**{right: False})), ManualClock()).is_admin("U1")


async def test_a_person_is_asked_for_once_a_minute() -> None:
    """Who has become an admin need not wait for long."""
    api, clock = Api(person(tz="Europe/Berlin")), ManualClock()
    directory = Directory(api, clock)
    assert (await directory.person("U1")).zone == "Europe/Berlin"
    await directory.is_admin("U1")
    await clock.advance(61)
    await directory.is_admin("U1")
    assert api.called == ["users.info U1", "users.info U1"]


async def test_a_person_whom_slack_does_not_show_is_no_admin_by_mistake() -> None:
    """The refusal goes on to whoever asked, and is not remembered."""
    api = Api({"users.info": SlackRefused("No.", code="missing_scope")})
    directory = Directory(api, ManualClock())
    for _ in range(2):
        with pytest.raises(SlackRefused):
            await directory.is_admin("U1")
    assert len(api.called) == 2


async def test_groups_are_listed_once_a_minute_and_called_by_their_handles() -> None:
    """An unknown one goes by its id."""
    rows = [{"id": "S1", "handle": "oncall", "name": "On call"}]
    api = Api({"usergroups.list": {"ok": True, "usergroups": rows}})
    directory = Directory(api, ManualClock())
    assert directory.handle("S1") == "S1"
    assert await directory.groups() == (Group("S1", "oncall", "On call"),)
    await directory.groups()
    assert (directory.handle("S1"), directory.handle("S2")) == ("@oncall", "S2")
    assert len(api.called) == 1


async def test_groups_that_slack_does_not_show_are_none() -> None:
    """And it is not asked at every letter that is typed."""
    api = Api({"usergroups.list": SlackRefused("No.", code="missing_scope")})
    directory = Directory(api, ManualClock())
    assert await directory.groups() == ()
    assert await directory.groups() == ()
    assert len(api.called) == 1
