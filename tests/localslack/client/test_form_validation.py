"""Client-side form validation."""

from typing import Any

import pytest

from localslack.blockkit.form_state import answered_state
from localslack.client.form_validation import REQUIRED, form_errors

TEXT = {"type": "plain_text_input", "min_length": 2, "max_length": 4}
WHOLE = {"type": "number_input", "is_decimal_allowed": False, "min_value": "1", "max_value": "60"}
HALF = {"type": "number_input", "is_decimal_allowed": True}
BOXES = {"type": "checkboxes", "options": []}


def form_error(element: dict, answer: Any, **more: Any) -> str | None:
    block = {"type": "input", "block_id": "b", "element": {"action_id": "a", **element}, **more}
    return form_errors([block], {"b": {"a": answered_state(element, answer)}}).get("b")


@pytest.mark.parametrize("element", [TEXT, WHOLE, BOXES])
def test_required_input_must_be_filled_in(element: dict) -> None:
    """An optional input may be empty."""
    assert form_error(element, None) == REQUIRED
    assert form_error(element, None, optional=True) is None


@pytest.mark.parametrize(
    ("element", "answer", "error"),
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
def test_invalid_input_has_an_error_message(element: dict, answer: Any, error: str | None) -> None:
    """A valid input has none."""
    assert form_error(element, answer) == error


def test_only_input_blocks_are_validated() -> None:
    """A select in a section block may be empty."""
    menu = {"type": "static_select", "action_id": "a", "options": []}
    assert form_errors([{"type": "section", "block_id": "b", "accessory": menu}], {}) == {}
