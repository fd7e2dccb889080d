"""What the lists in a contract's modal offer."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.playground.limits import offer_problems
from bot.slack.directory import Group
from bot.slack.lists import offer_groups, offer_zones

GROUPS = (Group("S0ONCALL", "oncall", "On call"), Group("S0OPS", "ops", "Operations"))


def values(offer: dict) -> list[str]:
    return [option["value"] for option in offer["options"]]


def test_the_askers_own_zone_comes_first() -> None:
    """Then UTC, then the others in order, as many as a list can hold."""
    found = values(offer_zones("", "Europe/Berlin"))
    assert found[:3] == ["Europe/Berlin", "UTC", "Africa/Abidjan"]
    assert len(found) == 100
    assert found.count("Europe/Berlin") == 1


def test_a_zone_that_slack_made_up_is_not_offered() -> None:
    """Only what the bot itself can reckon with."""
    assert values(offer_zones("", "Mars/Base"))[0] == "UTC"


@pytest.mark.parametrize("typed", ["new york", "New_York", " america/new "])
def test_a_zone_is_found_as_people_write_it(typed: str) -> None:
    """With a space, in any case."""
    assert "America/New_York" in values(offer_zones(typed, ""))


def test_every_zone_on_offer_is_one() -> None:
    """Whichever is chosen, quiet hours can be kept in it."""
    for letter in "aeiou":
        for name in values(offer_zones(letter, "")):
            ZoneInfo(name)


@pytest.mark.parametrize("typed", ["", "o"])
def test_all_fitting_groups_are_offered(typed: str) -> None:
    """By handle and name."""
    assert values(offer_groups(typed, GROUPS)) == ["S0ONCALL", "S0OPS"]


@pytest.mark.parametrize("typed", ["@onc", "call", "s0oncall"])
def test_a_group_is_found_by_handle_name_or_id(typed: str) -> None:
    """As one knows it."""
    assert values(offer_groups(typed, GROUPS)) == ["S0ONCALL"]


def test_an_id_that_is_typed_can_be_chosen() -> None:
    """Where Slack does not let the bot see the groups; a name alone cannot."""
    assert values(offer_groups("s0hidden", ())) == ["S0HIDDEN"]
    assert values(offer_groups("hidden", ())) == []


@given(st.text(max_size=200))
def test_whatever_is_typed_slack_takes_the_list(typed: str) -> None:
    """By the rules of the local Slack."""
    assert offer_problems(offer_zones(typed, typed)) == []
    assert offer_problems(offer_groups(typed, GROUPS)) == []
