"""Settings patches: stored overrides, undo, presets and validation."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.notifications.policy import (
    PRESETS,
    Broadcast,
    FollowUps,
    Mention,
    NotificationPolicy,
    NotifySettings,
    QuietHours,
    Tasks,
)
from bot.notifications.settings_patch import (
    PRESET_FIELDS,
    apply_patch,
    defaults,
    diff,
    overrides,
    preset_changes,
    problems,
)

QUIET = QuietHours(begins=time(22), ends=time(7), zone="Europe/Berlin")
POLICIES = st.builds(
    NotificationPolicy,
    follow_ups=st.sampled_from(FollowUps),
    tasks=st.sampled_from(Tasks),
    broadcast=st.sampled_from(Broadcast),
    mention=st.sampled_from(Mention),
    group=st.sampled_from(["", "S0ONCALL", "S0OTHERS"]),
    quiet_hours=st.sampled_from([None, QUIET, QUIET.replace(allow_failures=True)]),
    posts_per_hour=st.sampled_from([None, 1, 20]),
    board=st.booleans(),
    reaction=st.booleans(),
)


@given(base=POLICIES, wanted=POLICIES)
def test_stored_overrides_restore_the_wanted_policy(
    base: NotificationPolicy, wanted: NotificationPolicy
) -> None:
    """Storing only the differing fields loses nothing."""
    assert apply_patch(base, overrides(base, wanted)) == wanted


@given(before=POLICIES, after=POLICIES)
def test_undo_patch_restores_the_previous_policy(
    before: NotificationPolicy, after: NotificationPolicy
) -> None:
    """The reverse patch yields exactly the earlier policy."""
    assert apply_patch(after, diff(after, before)) == before


def test_values_equal_to_the_defaults_are_not_stored() -> None:
    """A later change of the defaults then applies to the channel."""
    notify = NotifySettings(follow_ups=FollowUps.FAILURES)
    wanted = NotificationPolicy(follow_ups=FollowUps.FAILURES, board=True)
    assert overrides(defaults(notify, "C1"), wanted) == {"board": True}


@pytest.mark.parametrize("name", PRESETS)
def test_preset_on_the_default_policy_equals_the_preset(name: str) -> None:
    """A preset sets every field in which it differs from the default."""
    assert apply_patch(NotificationPolicy(), preset_changes(name)) == PRESETS[name]


@given(POLICIES, st.sampled_from(sorted(PRESETS)))
def test_preset_keeps_quiet_hours_mentions_and_limit(before: NotificationPolicy, name: str) -> None:
    """A preset changes only the preset fields."""
    after = apply_patch(before, preset_changes(name))
    for field in set(NotificationPolicy.model_fields) - set(PRESET_FIELDS):
        assert getattr(after, field) == getattr(before, field)


def full_policy(**fields: Any) -> dict[str, Any]:
    return {**NotificationPolicy().model_dump(mode="json"), **fields}


def test_valid_policy_has_no_problems() -> None:
    """Neither the default policy nor one with a group has any."""
    assert problems(full_policy()) == {}
    assert problems(full_policy(mention="group", group="S0ONCALL")) == {}


def test_mentioning_a_group_requires_a_group() -> None:
    """The sentence belongs to the input for the group."""
    assert problems(full_policy(mention="group")) == {
        "group": "Choose the user group that is to be called."
    }


def test_each_invalid_field_has_a_sentence() -> None:
    """The sentences are keyed by field name."""
    quiet = {"begins": "22:00", "ends": "07:00", "zone": "Mars/Base"}
    found = problems(full_policy(posts_per_hour=0, quiet_hours=quiet))
    assert set(found) == {"posts_per_hour", "quiet_hours"}
    assert found["quiet_hours"] == "Must name a time zone, such as Europe/Berlin."
