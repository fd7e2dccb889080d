"""A channel's contract in one sentence."""

from __future__ import annotations

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.noise import gist
from bot.noise.policy import PRESETS, FollowUps, NoisePolicy, QuietHours

QUIET = QuietHours(begins=time(22), ends=time(7), zone="Europe/Berlin")


def test_a_channel_that_chose_nothing_hears_every_change() -> None:
    """The defaults, as one would say them."""
    assert gist.sentence(NoisePolicy()) == (
        "This channel hears every change of a job, and of the tasks those that fail;"
        " failures are shown in the channel as well and whoever asked is called at the end."
    )


def test_a_channel_with_limits_hears_of_them() -> None:
    """Quiet hours, a budget, boards and reactions are told where they are set."""
    said = gist.sentence(
        NoisePolicy(
            follow_ups=FollowUps.OUTCOMES,
            quiet_hours=QUIET,
            posts_per_hour=1,
            board=True,
            reaction=True,
        )
    )
    assert "it is quiet 22:00 to 07:00 (Europe/Berlin)" in said
    assert "1 follow-up an hour at the most" in said
    assert "jobs asked for together share a message" in said
    assert "tasks" not in said


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_is_one_sentence(name: str) -> None:
    """It begins with a capital and ends with its only full stop."""
    said = gist.sentence(PRESETS[name])
    assert said.startswith("This channel hears ")
    assert said.index(".") == len(said) - 1


@pytest.mark.parametrize(
    ("held", "words"),
    [
        (FollowUps.EVERY, "every"),
        (None, "none"),
        (True, "on"),
        (False, "off"),
        (20, "20"),
        (QUIET, "22:00 to 07:00 (Europe/Berlin)"),
        (QUIET.but(failures_pass=True), "22:00 to 07:00 (Europe/Berlin), but not for failures"),
    ],
)
def test_a_value_is_said_as_people_say_it(held: object, words: str) -> None:
    """No enum, no None and no True is read aloud."""
    assert gist.value(held) == words


@given(st.builds(NoisePolicy, follow_ups=..., tasks=..., broadcast=..., mention=..., board=...))
def test_every_contract_has_its_sentence(policy: NoisePolicy) -> None:
    """No combination is without words."""
    assert gist.sentence(policy).endswith(".")
