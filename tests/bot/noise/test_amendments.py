"""How contracts change: what is stored, what is undone, what is refused."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.noise.amendments import (
    LOUDNESS,
    amended,
    defaults,
    differing,
    own_values,
    preset,
    problems,
)
from bot.noise.policy import PRESETS, Broadcast, FollowUps, Mention, NoisePolicy, QuietHours, Tasks
from bot.settings import NotifySettings

QUIET = QuietHours(begins=time(22), ends=time(7), zone="Europe/Berlin")
POLICIES = st.builds(
    NoisePolicy,
    follow_ups=st.sampled_from(FollowUps),
    tasks=st.sampled_from(Tasks),
    broadcast=st.sampled_from(Broadcast),
    mention=st.sampled_from(Mention),
    group=st.sampled_from(["", "S0ONCALL", "S0OTHERS"]),
    quiet_hours=st.sampled_from([None, QUIET, QUIET.but(failures_pass=True)]),
    posts_per_hour=st.sampled_from([None, 1, 20]),
    board=st.booleans(),
    reaction=st.booleans(),
)


@given(beneath=POLICIES, wanted=POLICIES)
def test_what_a_channel_stores_over_the_defaults_is_what_it_wanted(
    beneath: NoisePolicy, wanted: NoisePolicy
) -> None:
    """Nothing is lost by storing only what differs."""
    assert amended(beneath, own_values(beneath, wanted)) == wanted


@given(before=POLICIES, after=POLICIES)
def test_an_undone_change_leads_back(before: NoisePolicy, after: NoisePolicy) -> None:
    """To the very policy that held before."""
    assert amended(after, differing(after, before)) == before


def test_what_is_as_the_defaults_say_is_not_stored() -> None:
    """So that a change of the settings reaches whoever did not choose."""
    notify = NotifySettings(follow_ups=FollowUps.FAILURES)
    wanted = NoisePolicy(follow_ups=FollowUps.FAILURES, board=True)
    assert own_values(defaults(notify, "C1"), wanted) == {"board": True}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_in_a_channel_that_chose_nothing_is_that_preset(name: str) -> None:
    """Nothing of it is left out."""
    assert amended(NoisePolicy(), preset(name)) == PRESETS[name]


@given(POLICIES, st.sampled_from(sorted(PRESETS)))
def test_a_preset_leaves_quiet_hours_calls_and_limit_alone(before: NoisePolicy, name: str) -> None:
    """They are about when and whom, not about how loud."""
    after = amended(before, preset(name))
    for field in set(NoisePolicy.model_fields) - set(LOUDNESS):
        assert getattr(after, field) == getattr(before, field)


def whole(**fields: Any) -> dict[str, Any]:
    return {**NoisePolicy().model_dump(mode="json"), **fields}


def test_a_policy_that_makes_sense_has_no_problems() -> None:
    """Neither the default nor one with a group."""
    assert problems(whole()) == {}
    assert problems(whole(mention="group", group="S0ONCALL")) == {}


def test_a_group_is_needed_where_one_is_to_be_called() -> None:
    """The sentence stands beside the input for the group."""
    assert problems(whole(mention="group")) == {
        "group": "Choose the user group that is to be called."
    }


def test_each_wrong_field_has_a_sentence() -> None:
    """By the field's name."""
    quiet = {"begins": "22:00", "ends": "07:00", "zone": "Mars/Base"}
    found = problems(whole(posts_per_hour=0, quiet_hours=quiet))
    assert set(found) == {"posts_per_hour", "quiet_hours"}
    assert found["quiet_hours"] == "Must name a time zone, such as Europe/Berlin."
