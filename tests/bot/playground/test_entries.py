"""What an input holds, as it begins and after an answer."""

from typing import Any

import pytest

from bot.playground.entries import beginning, called, filled, kept

ONE, TWO = (
    {"text": {"type": "plain_text", "text": name.title()}, "value": name} for name in ("one", "two")
)
OPTIONS = {"options": [ONE, TWO]}
GROUPS = {"option_groups": [{"label": {}, "options": [ONE]}, {"label": {}, "options": [TWO]}]}


@pytest.mark.parametrize(
    ("element", "held"),
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
def test_an_input_begins_with_what_the_app_wrote(element: dict, held: dict) -> None:
    """Or empty, as Slack writes that: null, or no options."""
    assert beginning(element) == {"type": element["type"], **held}


@pytest.mark.parametrize(
    ("element", "answer", "held"),
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
def test_an_answer_is_held_as_slack_holds_it(element: dict, answer: Any, held: dict) -> None:
    """Options whole, numbers as text, several as a list."""
    assert filled(element, answer) == {"type": element["type"], **held}


def test_an_answer_that_is_not_on_offer_is_no_answer() -> None:
    """A test that chooses in vain learns what there is."""
    with pytest.raises(LookupError, match="three is not on offer; there are one, two"):
        filled({"type": "static_select", **OPTIONS}, "three")


def test_a_time_is_written_as_slack_writes_it() -> None:
    """Nobody can enter another one."""
    with pytest.raises(ValueError, match="18:30"):
        filled({"type": "timepicker"}, "6 pm")


def block(name: str, *elements: dict) -> dict:
    return {"type": "actions", "block_id": name, "elements": list(elements)}


def test_an_input_is_called_by_its_block_or_by_its_action() -> None:
    """By the action where a block holds several."""
    picks = [{"type": "timepicker", "action_id": name} for name in ("from", "to")]
    blocks = [block("window", *picks), block("day", {"type": "datepicker", "action_id": "on"})]
    assert called(blocks, "day")[1]["action_id"] == "on"
    assert called(blocks, "to")[0]["block_id"] == "window"
    with pytest.raises(LookupError, match=r"window \(from\), window \(to\), day \(on\)"):
        called(blocks, "window")


def test_a_changed_view_keeps_what_its_inputs_held() -> None:
    """As long as block, action and type stay the same."""
    typed = {"type": "timepicker", "selected_time": "07:05"}
    later = {"type": "timepicker", "action_id": "at", "initial_time": "09:00"}
    assert kept({"when": {"at": typed}}, [block("when", later)]) == {"when": {"at": typed}}
    for other in (
        block("then", later),
        block("when", {**later, "action_id": "on"}),
        block("when", {"type": "datepicker", "action_id": "at"}),
    ):
        [entries] = kept({"when": {"at": typed}}, [other]).values()
        assert typed not in entries.values()
