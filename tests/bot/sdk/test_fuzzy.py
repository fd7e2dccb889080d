"""Closest string match."""

from hypothesis import given
from hypothesis import strategies as st

from bot.sdk.fuzzy import closest_match


def test_typing_error_finds_the_word() -> None:
    """Swapped and missing letters are tolerated."""
    assert closest_match("conections", ["connections", "list"]) == "connections"
    assert closest_match("delpoys", ["deploys", "robots"]) == "deploys"


def test_different_word_finds_nothing() -> None:
    """A wrong suggestion is worse than none."""
    assert closest_match("banana", ["watch", "list"]) == ""


def test_no_choices_give_no_match() -> None:
    """An installation without connections suggests none."""
    assert closest_match("deploys", []) == ""


@given(st.text(max_size=40), st.lists(st.text(max_size=20), max_size=5))
def test_suggestion_is_always_one_of_the_choices(word: str, choices: list[str]) -> None:
    """For any typed text."""
    assert closest_match(word, choices) in {*choices, ""}
