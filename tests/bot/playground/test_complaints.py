"""What keeps a form from being sent, in the client's words."""

from typing import Any

import pytest

from bot.playground.complaints import MISSING, complaints
from bot.playground.entries import filled

TEXT = {"type": "plain_text_input", "min_length": 2, "max_length": 4}
WHOLE = {"type": "number_input", "is_decimal_allowed": False, "min_value": "1", "max_value": "60"}
HALF = {"type": "number_input", "is_decimal_allowed": True}
BOXES = {"type": "checkboxes", "options": []}


def complaint(element: dict, answer: Any, **more: Any) -> str | None:
    asked = {"type": "input", "block_id": "b", "element": {"action_id": "a", **element}, **more}
    return complaints([asked], {"b": {"a": filled(element, answer)}}).get("b")


@pytest.mark.parametrize("element", [TEXT, WHOLE, BOXES])
def test_what_is_required_must_be_there(element: dict) -> None:
    """What is optional may be missing."""
    assert complaint(element, None) == MISSING
    assert complaint(element, None, optional=True) is None


@pytest.mark.parametrize(
    ("element", "answer", "said"),
    [
        (TEXT, "abc", None),
        (TEXT, "a", "Enter at least 2 characters."),
        (TEXT, "abcde", "Enter at most 4 characters."),
        (WHOLE, 60, None),
        (WHOLE, "soon", "Enter a number."),
        (WHOLE, "nan", "Enter a number."),
        (WHOLE, "1.5", "Enter a whole number."),
        (WHOLE, 0, "Enter a number that is 1 or more."),
        (WHOLE, 61, "Enter a number that is 60 or less."),
        (HALF, "-1.5", None),
        ({"type": "email_text_input"}, "ada", "Enter an email address."),
        ({"type": "url_text_input"}, "x.test", "Enter a URL that starts with http:// or https://."),
    ],
)
def test_an_answer_keeps_to_its_limits(element: dict, answer: Any, said: str | None) -> None:
    """Or a sentence says which."""
    assert complaint(element, answer) == said


def test_only_input_blocks_are_asked() -> None:
    """A select beside a text need not be chosen."""
    menu = {"type": "static_select", "action_id": "a", "options": []}
    assert complaints([{"type": "section", "block_id": "b", "accessory": menu}], {}) == {}
