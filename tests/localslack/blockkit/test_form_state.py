"""Form state: initial values, answers, and updates of a view."""

from typing import Any

import pytest

from localslack.blockkit.form_state import (
    answered_state,
    find_input,
    initial_state,
    retained_values,
)

ONE, TWO = (
    {"text": {"type": "plain_text", "text": name.title()}, "value": name} for name in ("one", "two")
)
OPTIONS = {"options": [ONE, TWO]}
GROUPS = {"option_groups": [{"label": {}, "options": [ONE]}, {"label": {}, "options": [TWO]}]}


@pytest.mark.parametrize(
    ("element", "state"),
    [
        ({"type": "plain_text_input"}, {"value": None}),
        ({"type": "plain_text_input", "initial_value": "x"}, {"value": "x"}),
        ({"type": "number_input", "initial_value": "5"}, {"value": "5"}),
        ({"type": "static_select", **OPTIONS}, {"selected_option": None}),
        ({"type": "static_select", "initial_option": ONE}, {"selected_option": ONE}),
        ({"type": "checkboxes", **OPTIONS}, {"selected_options": []}),
        ({"type": "checkboxes", "initial_options": [TWO]}, {"selected_options": [TWO]}),
        ({"type": "timepicker", "initial_time": "18:30"}, {"selected_time": "18:30"}),
        ({"type": "multi_users_select"}, {"selected_users": []}),
    ],
)
def test_initial_state_is_what_the_app_sent(element: dict, state: dict) -> None:
    """Without an initial value it is empty, in Slack's form: null or an empty list."""
    assert initial_state(element) == {"type": element["type"], **state}


@pytest.mark.parametrize(
    ("element", "answer", "state"),
    [
        ({"type": "plain_text_input"}, "hello", {"value": "hello"}),
        ({"type": "number_input"}, 30, {"value": "30"}),
        ({"type": "number_input"}, None, {"value": None}),
        ({"type": "radio_buttons", **OPTIONS}, "two", {"selected_option": TWO}),
        ({"type": "static_select", **GROUPS}, "two", {"selected_option": TWO}),
        ({"type": "external_select"}, ONE, {"selected_option": ONE}),
        ({"type": "checkboxes", **OPTIONS}, "one", {"selected_options": [ONE]}),
        ({"type": "checkboxes", **OPTIONS}, ["one", "two"], {"selected_options": [ONE, TWO]}),
        ({"type": "checkboxes", **OPTIONS}, None, {"selected_options": []}),
        ({"type": "timepicker"}, "07:05", {"selected_time": "07:05"}),
        ({"type": "users_select"}, "U0BEN", {"selected_user": "U0BEN"}),
        ({"type": "multi_users_select"}, "U0BEN", {"selected_users": ["U0BEN"]}),
    ],
)
def test_answer_is_stored_in_slacks_form(element: dict, answer: Any, state: dict) -> None:
    """Options are objects, numbers are strings, several values are a list."""
    assert answered_state(element, answer) == {"type": element["type"], **state}


def test_unknown_option_is_rejected() -> None:
    """The error names the existing options."""
    with pytest.raises(LookupError, match="three is not on offer; there are one, two"):
        answered_state({"type": "static_select", **OPTIONS}, "three")


def test_time_must_have_slacks_format() -> None:
    """Any other format is rejected."""
    with pytest.raises(ValueError, match="18:30"):
        answered_state({"type": "timepicker"}, "6 pm")


def block(name: str, *elements: dict) -> dict:
    return {"type": "actions", "block_id": name, "elements": list(elements)}


def test_input_is_found_by_block_id_or_action_id() -> None:
    """The block id is enough if the block has one input."""
    picks = [{"type": "timepicker", "action_id": name} for name in ("from", "to")]
    blocks = [block("window", *picks), block("day", {"type": "datepicker", "action_id": "on"})]
    assert find_input(blocks, "day")[1]["action_id"] == "on"
    assert find_input(blocks, "to")[0]["block_id"] == "window"
    with pytest.raises(LookupError, match=r"window \(from\), window \(to\), day \(on\)"):
        find_input(blocks, "window")


def test_updated_view_keeps_values_of_unchanged_inputs() -> None:
    """An input is unchanged if block id, action id and type are the same."""
    typed = {"type": "timepicker", "selected_time": "07:05"}
    later = {"type": "timepicker", "action_id": "at", "initial_time": "09:00"}
    assert retained_values({"when": {"at": typed}}, [block("when", later)]) == {
        "when": {"at": typed}
    }
    for other in (
        block("then", later),
        block("when", {**later, "action_id": "on"}),
        block("when", {"type": "datepicker", "action_id": "at"}),
    ):
        [states] = retained_values({"when": {"at": typed}}, [other]).values()
        assert typed not in states.values()
