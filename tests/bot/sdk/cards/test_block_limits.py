"""Check of a message against Slack's limits."""

from typing import Any

import pytest

from bot.sdk.cards.block_limits import violations
from bot.sdk.models import Message


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def section(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def button(text: str = "Go", **more: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain(text), **more}


def table(*rows: int, text: str = "x") -> dict[str, Any]:
    cell = {"type": "raw_text", "text": text}
    return {"type": "table", "rows": [[cell] * cells for cells in rows]}


def test_message_at_the_limits_has_no_violations() -> None:
    """Up to the last character."""
    groups = (
        ({"type": "header", "text": plain("x" * 150)}, section("x" * 3000, block_id="a")),
        ({"type": "section", "fields": [plain("x" * 2000)] * 5},),
        (actions(*[button("x" * 75, value="x" * 250, action_id=str(n)) for n in range(25)]),),
        (table(*[20] * 12, text="x"), *[section("x")] * 49),
        (table(2, 2, text="x" * 2_400),),
    )
    for fitting in groups:
        assert violations(Message(text="x" * 4000, blocks=fitting, classic=fitting)) == []


def test_total_size_is_limited_with_non_ascii_text_escaped() -> None:
    """Two sections of Cyrillic letters are too large together."""
    shown = (section("ж" * 1_000), section("ж" * 1_000))
    assert violations(Message(text="x", blocks=shown[:1])) == []
    (found,) = violations(Message(text="x", blocks=shown))
    assert found.endswith("characters of JSON")


@pytest.mark.parametrize(
    ("blocks", "problem"),
    [
        ([section("x")] * 51, "51 blocks"),
        ([section("x" * 3001)], "section.text has 3001 characters"),
        ([section("")], "section.text has 0 characters"),
        ([{"type": "section"}], "section.text is no text"),
        ([{"type": "header", "text": plain("x" * 151)}], "header.text has 151 characters"),
        ([{"type": "section", "fields": [plain("x")] * 11}], "section.fields holds 11"),
        ([{"type": "section", "fields": [plain("x" * 2001)]}], "a field has 2001 characters"),
        ([{"type": "context", "elements": []}], "context.elements holds 0"),
        ([{"type": "context", "elements": [plain("")]}], "an empty plain_text"),
        ([actions(*[button()] * 26)], "actions.elements holds 26"),
        ([actions(button("x" * 76))], "button.text has 76 characters"),
        ([actions(button(url="x" * 3001))], "button.url has 3001 characters"),
        ([actions(button(confirm={"text": plain("x" * 301)}))], "confirm.text has 301 characters"),
        ([section("x", block_id="a")] * 2, "block_id a is there twice"),
        ([actions(button(action_id="a"), button(action_id="a"))], "action_id a is there twice"),
        ([section("x", block_id="x" * 256)], "block_id has 256 characters"),
        ([table(1), table(1)], "2 tables"),
        ([table(*[1] * 101)], "table.rows holds 101"),
        ([table(21)], "a row of more than 20 cells, or of none"),
        ([table(1, text="x" * 10_001)], "10001 characters in a table's cells"),
        ([{"type": "markdown", "text": "x" * 12_001}], "12001 characters of markdown"),
        (
            [actions({"type": "overflow", "options": [{"text": plain("x" * 76)}]})],
            "an option has 76 characters",
        ),
    ],
)
def test_violations_name_what_slack_would_reject(
    blocks: list[dict[str, Any]], problem: str
) -> None:
    """In both renderings, with the number that is too large."""
    message = Message(text="x", blocks=tuple(blocks))
    assert f"blocks: {problem}" in violations(message)
    assert f"classic: {problem}" in violations(message.replace(blocks=(), classic=tuple(blocks)))


@pytest.mark.parametrize("text", ["", "x" * 4001])
def test_text_beside_the_blocks_is_required_and_limited(text: str) -> None:
    """Notifications and screen readers use it."""
    assert violations(Message(text=text)) == [f"text has {len(text)} characters"]
