"""Who is there: people and groups, asked by slack_sdk's own client."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import LocalSlack
from bot.playground.people import UserGroup

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("user", "admin"), [("U0ADA", False), ("U0GRACE", True)])
async def test_a_person_is_an_admin_or_not(web: AsyncWebClient, user: str, *, admin: bool) -> None:
    """Ada is a plain member, Grace is an admin; neither owns the workspace."""
    shown = (await web.users_info(user=user))["user"]
    assert (shown["is_admin"], shown["is_owner"]) == (admin, False)


async def test_a_person_has_a_name_and_a_zone(web: AsyncWebClient) -> None:
    """The zone by its name, and how far it is from UTC now."""
    shown = (await web.users_info(user="U0BEN"))["user"]
    assert (shown["name"], shown["real_name"]) == ("ben", "Ben")
    assert (shown["tz"], shown["tz_offset"]) == ("Asia/Shanghai", 8 * 3600)


@pytest.mark.parametrize("user", ["U0NOBODY", ""])
async def test_nobody_is_not_found(web: AsyncWebClient, user: str) -> None:
    """Neither an unknown person nor an unnamed one."""
    with pytest.raises(SlackApiError, match="user_not_found"):
        await web.users_info(user=user)


async def test_groups_are_listed_without_their_people(web: AsyncWebClient) -> None:
    """Who is in them is told only when asked for."""
    groups = (await web.usergroups_list())["usergroups"]
    assert [(group["id"], group["handle"]) for group in groups] == [
        ("S0DEPLOYERS", "deployers"),
        ("S0ONCALL", "oncall"),
    ]
    assert not any({"users", "user_count"} & set(group) for group in groups)


async def test_groups_are_listed_with_their_people(web: AsyncWebClient) -> None:
    """By id, and by number."""
    groups = (await web.usergroups_list(include_users=True, include_count=True))["usergroups"]
    assert [(group["users"], group["user_count"]) for group in groups] == [
        (["U0ADA", "U0BEN"], 2),
        (["U0GRACE"], 1),
    ]


async def test_a_disabled_group_is_listed_only_when_asked_for(clock: Any) -> None:
    """`date_delete` tells it from the others."""
    gone = UserGroup("S0GONE", "gone", "Gone", (), is_disabled=True)
    async with LocalSlack(clock=clock, groups=[gone]) as slack:
        web = AsyncWebClient(slack.bot_token, base_url=slack.api_url)
        assert (await web.usergroups_list())["usergroups"] == []
        [group] = (await web.usergroups_list(include_disabled=True))["usergroups"]
        assert group["date_delete"]
