"""Options of the settings modal."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.settings_options import time_zone_options, user_group_options
from bot.slack.users import UserGroup
from localslack.blockkit.validation import options_problems

GROUPS = (UserGroup("S0ONCALL", "oncall", "On call"), UserGroup("S0OPS", "ops", "Operations"))


def values(offer: dict) -> list[str]:
    return [option["value"] for option in offer["options"]]


def test_own_time_zone_comes_first() -> None:
    """Then UTC, then the others in order, up to Slack's limit."""
    found = values(time_zone_options("", "Europe/Berlin"))
    assert found[:3] == ["Europe/Berlin", "UTC", "Africa/Abidjan"]
    assert len(found) == 100
    assert found.count("Europe/Berlin") == 1


def test_unknown_time_zone_is_not_offered() -> None:
    """Only zones that the bot can compute with."""
    assert values(time_zone_options("", "Mars/Base"))[0] == "UTC"


@pytest.mark.parametrize("typed", ["new york", "New_York", " america/new "])
def test_time_zone_search_ignores_case_and_underscores(typed: str) -> None:
    """As people write it."""
    assert "America/New_York" in values(time_zone_options(typed, ""))


def test_every_offered_time_zone_exists() -> None:
    """Quiet hours can use each of them."""
    for letter in "aeiou":
        for name in values(time_zone_options(letter, "")):
            ZoneInfo(name)


@pytest.mark.parametrize("typed", ["", "o"])
def test_all_matching_groups_are_offered(typed: str) -> None:
    """By handle and name."""
    assert values(user_group_options(typed, GROUPS)) == ["S0ONCALL", "S0OPS"]


@pytest.mark.parametrize("typed", ["@onc", "call", "s0oncall"])
def test_group_is_found_by_handle_name_or_id(typed: str) -> None:
    """In any case."""
    assert values(user_group_options(typed, GROUPS)) == ["S0ONCALL"]


def test_typed_group_id_can_be_selected() -> None:
    """For a bot that may not list groups; a name alone cannot."""
    assert values(user_group_options("s0hidden", ())) == ["S0HIDDEN"]
    assert values(user_group_options("hidden", ())) == []


@given(st.text(max_size=200))
def test_slack_accepts_the_options_for_any_text(typed: str) -> None:
    """By the rules of the local Slack."""
    assert options_problems(time_zone_options(typed, typed)) == []
    assert options_problems(user_group_options(typed, GROUPS)) == []
