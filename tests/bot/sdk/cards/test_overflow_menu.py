"""Overflow menu of a message."""

from __future__ import annotations

from bot.sdk.cards import blocks, overflow_menu
from bot.sdk.models import Message
from localslack.blockkit.validation import problems


def labels(block: blocks.Block) -> list[str]:
    """Return the labels of the options."""
    return [option["text"]["text"] for option in block["options"]]


def test_menu_explains_the_message_and_reduces_messages() -> None:
    """Three options that apply to every message."""
    assert labels(overflow_menu.menu()) == [
        "Why did I get this?",
        "Only outcomes here",
        "Only failures here",
    ]


def test_menu_of_a_followed_job_can_stop_following() -> None:
    """Only for a followed job."""
    assert labels(overflow_menu.menu(followed=True))[-1] == "Stop following"


def test_menu_values_are_words_and_never_a_reference() -> None:
    """An option's value holds 75 characters; a reference may be longer."""
    values = [option["value"] for option in overflow_menu.menu(followed=True)["options"]]
    assert values == ["why", "set follow_ups outcomes", "set follow_ups failures", "stop"]
    assert max(map(len, values)) <= 75


def test_message_with_a_menu_keeps_its_text_and_blocks() -> None:
    """The menu is one row after them, in both renderings."""
    said = Message(
        text="deploy-api failed.",
        blocks=(blocks.rich_text(blocks.line(blocks.text("failed"))),),
        classic=(blocks.section("failed"),),
    )
    under = overflow_menu.with_menu(said)
    assert under.text == said.text
    assert [block["type"] for block in under.blocks] == ["rich_text", "actions"]
    assert [block["type"] for block in under.classic] == ["section", "actions"]
    assert problems(list(under.blocks), "message") == []


def test_message_without_blocks_shows_its_text_above_the_menu() -> None:
    """Slack does not show the text of a message with blocks."""
    under = overflow_menu.with_menu(Message(text="Hello."))
    assert under.blocks[0]["text"]["text"] == "Hello."
    assert under.classic == ()


def test_message_with_fifty_blocks_gets_no_menu() -> None:
    """Slack's limit is 50 blocks; content comes before the menu."""
    under = overflow_menu.with_menu(Message(text="x", blocks=(blocks.divider(),) * 50))
    assert {block["type"] for block in under.blocks} == {"divider"}
