"""Block Kit validation: accepted and rejected blocks and views."""

from typing import Any

import pytest
from slack_sdk.models.blocks import (
    ActionsBlock,
    ButtonElement,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    SectionBlock,
    StaticSelectElement,
)
from slack_sdk.models.blocks.basic_components import Option

from localslack.blockkit.validation import problems, view_problems


def plain(text: str) -> dict:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> dict:
    return {"type": "mrkdwn", "text": text}


def section(text: str = "hello", **more: Any) -> dict:
    return {"type": "section", "text": mrkdwn(text), **more}


def button(**more: Any) -> dict:
    return {"type": "button", "text": plain("Go"), "action_id": "go", **more}


def actions(*elements: dict) -> dict:
    return {"type": "actions", "elements": list(elements)}


def overflow(number: int) -> dict:
    options = [{"text": plain(str(n)), "value": str(n)} for n in range(number)]
    return {"type": "overflow", "action_id": "more", "options": options}


def menu(text: str, value: str = "v", **more: Any) -> dict:
    return {**overflow(1), "options": [{"text": plain(text), "value": value, **more}]}


def rich(*elements: dict) -> dict:
    return {"type": "rich_text", "elements": list(elements)}


def words(*elements: dict) -> dict:
    return {"type": "rich_text_section", "elements": list(elements)}


def task(**more: Any) -> dict:
    return {"type": "task_card", "task_id": "t", "title": "Build", "status": "complete", **more}


def plan(*tasks: dict) -> dict:
    return {"type": "plan", "title": "Steps", "tasks": list(tasks)}


def cell(text: str = "x") -> dict:
    return {"type": "raw_text", "text": text}


def table(rows: int = 1, columns: int = 1, text: str = "x", **more: Any) -> dict:
    return {"type": "table", "rows": [[cell(text)] * columns for _ in range(rows)], **more}


def data_table(header: dict | None = None, **more: Any) -> dict:
    rows = [[header or cell()], [{"type": "raw_number", "value": 1, "text": "1"}]]
    return {"type": "data_table", "caption": "Steps", "rows": rows, **more}


def container(*children: dict) -> dict:
    return {"type": "container", "title": plain("Log"), "child_blocks": list(children)}


def chart(**more: Any) -> dict:
    pie = {"type": "pie", "segments": [{"label": "a", "value": 1}]}
    return {"type": "data_visualization", "title": "Share", "chart": pie, **more}


TEXT = {"type": "text", "text": "x", "style": {"bold": True}}
EVERY_INLINE = (
    TEXT,
    {"type": "link", "url": "https://x.test", "text": "x"},
    {"type": "user", "user_id": "U1"},
    {"type": "channel", "channel_id": "C1"},
    {"type": "usergroup", "usergroup_id": "S1"},
    {"type": "emoji", "name": "eyes"},
    {"type": "broadcast", "range": "here"},
    {"type": "date", "timestamp": 1, "format": "{time}", "fallback": "noon"},
)


@pytest.mark.parametrize(
    "blocks",
    [
        [section()] * 50,
        [section("x" * 3000)],
        [{"type": "section", "fields": [mrkdwn("x" * 2000)] * 10, "expand": True}],
        [{"type": "header", "text": plain("x" * 150)}, {"type": "divider"}],
        [{"type": "context", "elements": [mrkdwn("x")] * 10}],
        [actions(*(button(action_id=str(n)) for n in range(25)))],
        [actions(button(text=plain("x" * 75), value="x" * 2000, url="x" * 3000, style="danger"))],
        [actions(overflow(5))],
        [section(accessory=overflow(1))],
        [section(accessory=menu("x" * 75, "x" * 150, url="https://x.test"))],
        [rich(words(*EVERY_INLINE))],
        [rich({"type": "rich_text_list", "style": "bullet", "elements": [words(TEXT)]})],
        [rich({"type": "rich_text_quote", "elements": [TEXT]})],
        [rich({"type": "rich_text_preformatted", "elements": [TEXT]})],
        [plan(task(details=rich(words(TEXT)), output=rich(words(TEXT))))],
        [plan(*(task(task_id=str(n), status="in_progress") for n in range(15)))],
        [task(sources=[{"type": "url", "url": "https://x.test", "text": "x"}])],
        [table(100, 20, column_settings=[{"align": "right"}, None])],
        [data_table(page_size=10)],
        [{"type": "markdown", "text": "x" * 12_000}],
        [container(section(), rich(words(TEXT)), table())],
        [chart(), chart()],
    ],
)
def test_message_within_the_limits_is_accepted(blocks: Any) -> None:
    """Blocks that Slack accepts have no violations."""
    assert problems(blocks, "message") == []


@pytest.mark.parametrize(
    ("blocks", "reason"),
    [
        ([section()] * 51, "no more than 50 items"),
        ("section", "must be an array"),
        (["section"], "unsupported type"),
        ([{"type": "banner"}], "unsupported type: banner"),
        ([{"type": ["section"]}], "unsupported type"),
        ([section("")], "must be more than 0 characters"),
        ([section("x" * 3001)], "must be less than 3001 characters"),
        ([section(colour="red")], "invalid additional property: colour"),
        ([{"type": "section"}], "missing required field: text or fields"),
        ([{"type": "section", "text": {"type": "markdown", "text": "x"}}], "unsupported type"),
        ([{"type": "section", "text": "hello"}], "unsupported type"),
        ([{"type": "section", "fields": [mrkdwn("x")] * 11}], "no more than 10 items"),
        ([{"type": "section", "fields": [mrkdwn("x" * 2001)]}], "less than 2001"),
        ([{"type": "header", "text": mrkdwn("x")}], "valid enum value"),
        ([{"type": "header", "text": plain("x" * 151)}], "less than 151"),
        ([{"type": "context", "elements": [mrkdwn("x")] * 11}], "no more than 10 items"),
        ([{"type": "context", "elements": []}], "no fewer than 1 items"),
        ([actions(*(button(action_id=str(n)) for n in range(26)))], "no more than 25 items"),
        ([actions(button(text=plain("x" * 76)))], "less than 76"),
        ([actions(button(text=mrkdwn("x")))], "valid enum value"),
        ([actions(button(value="x" * 2001))], "less than 2001"),
        ([actions(button(url="x" * 3001))], "less than 3001"),
        ([actions(button(action_id="x" * 256))], "less than 256"),
        ([actions(button(style="warning"))], "valid enum value"),
        ([actions(overflow(6))], "no more than 5 items"),
        ([actions(overflow(0))], "no fewer than 1 items"),
        ([section(accessory=overflow(6))], "no more than 5 items"),
        ([section(accessory=menu("x" * 76))], "less than 76"),
        ([section(accessory=menu("x", "x" * 151))], "less than 151"),
        ([section(accessory=menu("x", url="x" * 3001))], "less than 3001"),
        ([actions({"type": "static_select", "action_id": "s"})], "options or option_groups"),
        ([actions(button()), actions(button())], "`action_id` go already exists"),
        ([section(block_id="a"), section(block_id="a")], "`block_id` a already exists"),
        ([section(block_id="x" * 256)], "less than 256"),
        ([plan(task(status="done"))], "valid enum value"),
        ([plan({"type": "task_card", "title": "x", "status": "error"})], "task_id"),
        ([task(details=section())], "valid enum value"),
        ([table(), table()], "only one table"),
        ([table(), data_table()], "only one table"),
        ([table(), container(table())], "only one table"),
        ([table(101)], "no more than 100 items"),
        ([table(1, 21)], "no more than 20 items"),
        ([table(text="")], "more than 0 characters"),
        ([table(11, 1, "x" * 1000)], "no more than 10000 characters"),
        ([{"type": "table", "rows": [[plain("x")]]}], "unsupported type: plain_text"),
        ([data_table(header=rich(words(TEXT)))], "may not hold rich_text"),
        ([data_table(caption="")], "more than 0 characters"),
        ([{"type": "markdown", "text": "x" * 7000}] * 2, "characters of markdown"),
        ([container(*[section()] * 11)], "no more than 10 items"),
        ([container(container(section()))], "unsupported type: container"),
        ([{"type": "alert", "text": plain("x")}], "unsupported type: alert"),
        ([rich({"type": "text", "text": "x"})], "unsupported type: text"),
        ([rich(words({"type": "text", "text": ""}))], "more than 0 characters"),
        ([rich(words({"type": "mention", "user_id": "U1"}))], "unsupported type: mention"),
        ([chart(title="x" * 51)], "less than 51"),
        ([chart()] * 3, "no more than 2 charts"),
    ],
)
def test_message_beyond_a_limit_is_rejected(blocks: Any, reason: str) -> None:
    """Blocks that Slack rejects have a violation with the reason."""
    found = problems(blocks, "message")
    assert any(reason in problem for problem in found), found


def test_unsupported_block_type_is_rejected() -> None:
    """It is rejected at any depth."""
    refused = frozenset({"plan", "table"})
    assert problems([plan(task())], "message", refused)
    assert problems([container(table())], "message", refused)
    assert problems([section()], "message", refused) == []


def test_blocks_of_the_sdk_classes_are_accepted() -> None:
    """The SDK's block classes, within their limits, have no violations."""
    options = [Option(value=str(n), text=str(n)) for n in range(100)]
    blocks = [
        HeaderBlock(text="x" * 150),
        SectionBlock(text=MarkdownTextObject(text="x"), fields=["a", "b"]),
        ContextBlock(elements=[MarkdownTextObject(text="x")]),
        ActionsBlock(
            elements=[
                ButtonElement(text="Go", action_id="a", value="1", style="primary"),
                StaticSelectElement(placeholder="?", action_id="b", options=options),
            ]
        ),
    ]
    assert problems([block.to_dict() for block in blocks], "message") == []


def modal(*blocks: dict, **more: Any) -> dict:
    return {"type": "modal", "title": plain("Ask"), "blocks": list(blocks), **more}


ASK = {
    "type": "input",
    "label": plain("Reference"),
    "element": {"type": "plain_text_input", "action_id": "reference"},
}


NUMBER = {"type": "number_input", "action_id": "n", "is_decimal_allowed": True}
SUBMIT = {"submit": plain("Go")}
ONE, TWO = ({"text": plain(name), "value": name} for name in ("one", "two"))
PICK = {"options": [ONE]}
FOCUSED = {**ASK, "element": {**ASK["element"], "focus_on_load": True}}


def input_block(element: dict, **more: Any) -> dict:
    return {**ASK, "element": {**element, **more}}


@pytest.mark.parametrize(
    "view",
    [
        modal(ASK, submit=plain("Show")),
        modal(*[section()] * 100),
        modal(input_block(NUMBER, initial_value="5", min_value="-1", max_value="10.5"), **SUBMIT),
        modal(input_block({"type": "timepicker", "initial_time": "18:30"}), **SUBMIT),
        modal(input_block({"type": "radio_buttons", **PICK, "initial_option": ONE}), **SUBMIT),
        modal(actions({"type": "checkboxes", **PICK, "initial_options": [ONE]})),
        modal({"type": "alert", "text": plain("x"), "level": "error"}),
        {"type": "home", "blocks": [section()]},
    ],
)
def test_view_within_the_limits_is_accepted(view: Any) -> None:
    """Views that Slack accepts have no violations."""
    assert view_problems(view) == []


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        (None, "must be an object"),
        ({"type": "window", "blocks": []}, "modal or home"),
        (modal(ASK), "submit button"),
        (modal(*[section()] * 101), "no more than 100 items"),
        (modal(title=plain("x" * 25)), "less than 25"),
        (modal(input_block({"type": "number_input"}), **SUBMIT), "is_decimal_allowed"),
        (modal(input_block(NUMBER, min_value=1), **SUBMIT), "must be a number"),
        (
            modal(input_block(NUMBER, min_value="2", max_value="1"), **SUBMIT),
            "greater than max_value",
        ),
        (
            modal(input_block({"type": "timepicker", "initial_time": "6pm"}), **SUBMIT),
            "a time: HH:mm",
        ),
        (
            modal(input_block({"type": "radio_buttons", **PICK, "initial_option": TWO}), **SUBMIT),
            "among",
        ),
        (
            modal(input_block({"type": "checkboxes", **PICK, "initial_options": [TWO]}), **SUBMIT),
            "among",
        ),
        (
            modal(input_block({"type": "static_select", "options": [ONE] * 101}), **SUBMIT),
            "100 items",
        ),
        (
            modal(input_block({"type": "radio_buttons", "options": [ONE] * 11}), **SUBMIT),
            "10 items",
        ),
        (modal(input_block(NUMBER, focus_on_load=True), FOCUSED, **SUBMIT), "only one element"),
        (modal({**ASK, "hint": plain("x" * 2001)}, **SUBMIT), "less than 2001"),
        (modal(private_metadata="x" * 3001), "less than 3001"),
        (modal(table()), "unsupported type: table"),
        ({"type": "home", "blocks": [{"type": "alert", "text": plain("x")}]}, "alert"),
    ],
)
def test_view_beyond_a_limit_is_rejected(view: Any, reason: str) -> None:
    """Views that Slack rejects have a violation with the reason."""
    found = view_problems(view)
    assert any(reason in problem for problem in found), found
