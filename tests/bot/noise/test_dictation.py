"""What people type after `set`."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.noise.amendments import amended
from bot.noise.dictation import Unclear, understood
from bot.noise.policy import NoisePolicy

NIGHT = {"begins": "22:00:00", "ends": "07:00:00", "zone": "Europe/Berlin", "failures_pass": False}
AT_NIGHT = NoisePolicy.model_validate({"quiet_hours": NIGHT})


def read(text: str, policy: NoisePolicy | None = None) -> Any:
    return understood(text.split(), policy or NoisePolicy())


@pytest.mark.parametrize(
    ("typed", "change"),
    [
        ("follow_ups outcomes", {"follow_ups": "outcomes"}),
        ("Follow-Ups TURNS", {"follow_ups": "turns"}),
        ("followups: failures", {"follow_ups": "failures"}),
        ("tasks none", {"tasks": "none"}),
        ("broadcast failure-and-recovery", {"broadcast": "failure_and_recovery"}),
        ("mention nobody", {"mention": "nobody"}),
        ("mention S0ONCALL", {"mention": "group", "group": "S0ONCALL"}),
        ("board on", {"board": True}),
        ("reaction off", {"reaction": False}),
        ("posts_per_hour 20", {"posts_per_hour": 20}),
        ("posts_per_hour off", {"posts_per_hour": None}),
        ("quiet_hours off", {"quiet_hours": None}),
        ("quiet_hours 22:00-07:00 Europe/Berlin", {"quiet_hours": NIGHT}),
        ("quiet_hours 22:00 to 7:00 europe/berlin", {"quiet_hours": NIGHT}),
        (
            "quiet_hours 22:00-07:00 Europe/Berlin failures_pass",
            {"quiet_hours": {**NIGHT, "failures_pass": True}},
        ),
    ],
)
def test_a_clause_is_set_by_its_name_and_a_value(typed: str, change: dict[str, Any]) -> None:
    """Capitals and hyphens do not matter."""
    assert read(typed) == change


def test_hours_without_a_zone_stay_in_the_one_that_holds() -> None:
    """Whoever shifts them by an hour need not say where they are."""
    change = read("quiet_hours 23:00-06:00", AT_NIGHT)
    assert change["quiet_hours"]["zone"] == "Europe/Berlin"


def test_hours_without_any_zone_are_asked_about() -> None:
    """UTC would be wrong almost everywhere."""
    unclear = read("quiet_hours 22:00-07:00")
    assert unclear.said == "In which time zone?"
    assert unclear.choices == ("set quiet_hours 22:00-07:00 Europe/Berlin",)


def test_failures_pass_quiet_hours_by_a_word_of_their_own() -> None:
    """Where there are any."""
    assert read("failures_pass on", AT_NIGHT)["quiet_hours"] == {**NIGHT, "failures_pass": True}
    assert isinstance(read("failures_pass on"), Unclear)


def test_a_group_that_is_chosen_already_is_called_by_the_word() -> None:
    """Without one, the sentence says how to name it."""
    assert read("mention group", NoisePolicy(group="S0ONCALL")) == {"mention": "group"}
    assert "set mention @group" in read("mention group").said


@pytest.mark.parametrize(
    ("typed", "better"),
    [
        ("folow_ups outcomes", "set follow_ups outcomes"),
        ("follow_ups outcoms", "set follow_ups outcomes"),
        ("mention nobdy", "set mention nobody"),
        ("quiet_hours 22:00-07:00 Berln", "set quiet_hours 22:00-07:00 Europe/Berlin"),
        ("quiet_hours 22:00-07:00 Europe/Berln", "set quiet_hours 22:00-07:00 Europe/Berlin"),
    ],
)
def test_what_is_nearly_right_is_suggested(typed: str, better: str) -> None:
    """As one would type it."""
    assert read(typed).better == better


@pytest.mark.parametrize(
    "typed",
    ["", "colour red", "follow_ups", "tasks loudly", "mention", "mention @oncall", "board",
     "posts_per_hour", "posts_per_hour 0", "posts_per_hour 1001", f"posts_per_hour {'9' * 5000}",
     "posts_per_hour ²",
     "quiet_hours", "quiet_hours 25:00-07:00", "quiet_hours 07:00-07:00 UTC", "failures_pass"],
)  # fmt: skip
def test_what_cannot_be_understood_gets_a_sentence(typed: str) -> None:
    """And changes nothing."""
    unclear = read(typed)
    assert isinstance(unclear, Unclear)
    assert unclear.said.endswith((".", "?", "below."))


@pytest.mark.parametrize("typed", ["", "colour red", "follow_ups", "broadcast x", "board maybe"])
def test_whatever_is_offered_instead_is_understood(typed: str) -> None:
    """A list of values holds no wrong ones; the fields alone ask for a value."""
    for choice in read(typed).choices:
        words = choice.split()[1:]
        assert len(words) == 1 or isinstance(understood(words, NoisePolicy()), dict)


WORDS = st.sampled_from(
    ["follow_ups", "quiet_hours", "mention", "posts_per_hour", "failures_pass", "board", "off",
     "22:00-07:00", "Europe/Berlin", "group", "S0ONCALL", "5", "on", "`", "<!here>"]
)  # fmt: skip


@given(st.lists(st.one_of(WORDS, st.text(max_size=8)), max_size=5))
def test_whatever_is_typed_is_a_change_that_holds_or_a_sentence(words: list[str]) -> None:
    """No words break it, and no change is half a policy."""
    meant = understood([word for word in words if word], AT_NIGHT)
    if isinstance(meant, Unclear):
        assert "<!here>" not in meant.said
    else:
        amended(AT_NIGHT, meant)
