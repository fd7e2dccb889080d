"""The form of a provider's ids."""

import re

from bot.sdk import IdFormat

ROBOT = IdFormat(re.compile(r"[0-9]+"), named=re.compile(r"\w+"), example="17")


def test_bare_id_matches_the_pattern() -> None:
    """The whole word must match."""
    assert ROBOT.matches("17")
    assert not ROBOT.matches("17a")


def test_named_pattern_applies_after_the_connection() -> None:
    """Without one the bare pattern applies."""
    assert ROBOT.matches_named("nightly")
    assert not IdFormat(ROBOT.pattern).matches_named("nightly")


def test_id_that_cannot_be_stored_does_not_match() -> None:
    """It is empty, too long, or has a NUL."""
    anything = IdFormat(re.compile(".*"))
    assert not any(anything.matches(text) for text in ("", "x" * 201, "a\x00b"))


def test_ids_are_found_in_urls() -> None:
    """By the bare pattern."""
    text = "see https://robots.example/17 and https://robots.example/x"
    assert ROBOT.find_in_urls(text, "https://robots.example/{id}") == ["17"]
