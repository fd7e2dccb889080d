"""users.* and usergroups.* methods, called by slack_sdk's client."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack
from localslack.state.entities import UserGroup

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("user", "admin"), [("U0ADA", False), ("U0GRACE", True)])
async def test_user_is_an_admin_or_not(web: AsyncWebClient, user: str, *, admin: bool) -> None:
    """Ada is a member and Grace is an admin; neither is an owner."""
    shown = (await web.users_info(user=user))["user"]
    assert (shown["is_admin"], shown["is_owner"]) == (admin, False)


async def test_user_has_a_name_and_a_time_zone(web: AsyncWebClient) -> None:
    """`users.info` returns the zone name and its current UTC offset."""
    shown = (await web.users_info(user="U0BEN"))["user"]
    assert (shown["name"], shown["real_name"]) == ("ben", "Ben")
    assert (shown["tz"], shown["tz_offset"]) == ("Asia/Shanghai", 8 * 3600)


@pytest.mark.parametrize("user", ["U0NOBODY", ""])
async def test_unknown_user_is_not_found(web: AsyncWebClient, user: str) -> None:
    """An unknown id and an empty id give `user_not_found`."""
    with pytest.raises(SlackApiError, match="user_not_found"):
        await web.users_info(user=user)


async def test_groups_are_listed_without_members(web: AsyncWebClient) -> None:
    """Members are included only on request."""
    groups = (await web.usergroups_list())["usergroups"]
    assert [(group["id"], group["handle"]) for group in groups] == [
        ("S0DEPLOYERS", "deployers"),
        ("S0ONCALL", "oncall"),
    ]
    assert not any({"users", "user_count"} & set(group) for group in groups)


async def test_groups_are_listed_with_members_on_request(web: AsyncWebClient) -> None:
    """`include_users` adds the ids and `include_count` the number."""
    groups = (await web.usergroups_list(include_users=True, include_count=True))["usergroups"]
    assert [(group["users"], group["user_count"]) for group in groups] == [
        (["U0ADA", "U0BEN"], 2),
        (["U0GRACE"], 1),
    ]


async def test_disabled_group_is_listed_only_on_request(clock: Any) -> None:
    """`date_delete` marks it as disabled."""
    gone = UserGroup("S0GONE", "gone", "Gone", (), is_disabled=True)
    async with LocalSlack(clock=clock, groups=[gone]) as slack:
        web = AsyncWebClient(slack.bot_token, base_url=slack.api_url)
        assert (await web.usergroups_list())["usergroups"] == []
        [group] = (await web.usergroups_list(include_disabled=True))["usergroups"]
        assert group["date_delete"]
