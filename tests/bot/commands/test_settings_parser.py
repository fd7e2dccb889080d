"""Parsing of `/job set …`."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.settings_parser import ParseError, parse_setting
from bot.notifications.policy import NotificationPolicy
from bot.notifications.settings_patch import apply_patch

NIGHT = {"begins": "22:00:00", "ends": "07:00:00", "zone": "Europe/Berlin", "allow_failures": False}
AT_NIGHT = NotificationPolicy.model_validate({"quiet_hours": NIGHT})


def parse(text: str, policy: NotificationPolicy | None = None) -> Any:
    return parse_setting(text.split(), policy or NotificationPolicy())


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
            "quiet_hours 22:00-07:00 Europe/Berlin allow_failures",
            {"quiet_hours": {**NIGHT, "allow_failures": True}},
        ),
        (
            "quiet_hours 22:00-07:00 Europe/Berlin failures_pass",
            {"quiet_hours": {**NIGHT, "allow_failures": True}},
        ),
    ],
)
def test_field_is_set_by_name_and_value(typed: str, change: dict[str, Any]) -> None:
    """Capitals and hyphens are ignored."""
    assert parse(typed) == change


def test_hours_without_a_zone_keep_the_current_zone() -> None:
    """Only the hours change."""
    change = parse("quiet_hours 23:00-06:00", AT_NIGHT)
    assert change["quiet_hours"]["zone"] == "Europe/Berlin"


def test_first_quiet_hours_require_a_zone() -> None:
    """UTC would be wrong almost everywhere."""
    error = parse("quiet_hours 22:00-07:00")
    assert error.message == "In which time zone?"
    assert error.choices == ("set quiet_hours 22:00-07:00 Europe/Berlin",)


@pytest.mark.parametrize("word", ["allow_failures", "failures_pass"])
def test_allow_failures_is_set_on_its_own(word: str) -> None:
    """It requires quiet hours; its old name is still accepted."""
    assert parse(f"{word} on", AT_NIGHT)["quiet_hours"] == {**NIGHT, "allow_failures": True}
    assert isinstance(parse(f"{word} on"), ParseError)


def test_known_group_is_mentioned_by_the_word_group() -> None:
    """Without a known group, the error says how to name one."""
    assert parse("mention group", NotificationPolicy(group="S0ONCALL")) == {"mention": "group"}
    assert "set mention @group" in parse("mention group").message


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
def test_misspelt_command_gets_a_suggestion(typed: str, better: str) -> None:
    """The suggestion is a valid command."""
    assert parse(typed).suggestion == better


@pytest.mark.parametrize(
    "typed",
    ["", "colour red", "follow_ups", "tasks loudly", "mention", "mention @oncall", "board",
     "posts_per_hour", "posts_per_hour 0", "posts_per_hour 1001", f"posts_per_hour {'9' * 5000}",
     "posts_per_hour ²",
     "quiet_hours", "quiet_hours 25:00-07:00", "quiet_hours 07:00-07:00 UTC", "allow_failures"],
)  # fmt: skip
def test_invalid_command_gets_an_error_sentence(typed: str) -> None:
    """Nothing is changed."""
    error = parse(typed)
    assert isinstance(error, ParseError)
    assert error.message.endswith((".", "?", "below."))


@pytest.mark.parametrize("typed", ["", "colour red", "follow_ups", "broadcast x", "board maybe"])
def test_suggested_commands_are_valid(typed: str) -> None:
    """A name of a field alone may still ask for a value."""
    for choice in parse(typed).choices:
        words = choice.split()[1:]
        assert len(words) == 1 or isinstance(parse_setting(words, NotificationPolicy()), dict)


WORDS = st.sampled_from(
    ["follow_ups", "quiet_hours", "mention", "posts_per_hour", "allow_failures", "board", "off",
     "22:00-07:00", "Europe/Berlin", "group", "S0ONCALL", "5", "on", "`", "<!here>"]
)  # fmt: skip


@given(st.lists(st.one_of(WORDS, st.text(max_size=8)), max_size=5))
def test_any_words_yield_a_valid_patch_or_an_error(words: list[str]) -> None:
    """No input raises, and no patch is invalid."""
    result = parse_setting([word for word in words if word], AT_NIGHT)
    if isinstance(result, ParseError):
        assert "<!here>" not in result.message
    else:
        apply_patch(AT_NIGHT, result)
