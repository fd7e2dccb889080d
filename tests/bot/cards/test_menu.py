"""The menu under a message."""

from __future__ import annotations

from bot.cards import blocks, menu
from bot.models import Message
from bot.playground.limits import problems


def labels(block: blocks.Block) -> list[str]:
    """Return what can be chosen."""
    return [option["text"]["text"] for option in block["options"]]


def test_the_menu_explains_and_narrows() -> None:
    """Three things that make sense under every message."""
    assert labels(menu.menu()) == [
        "Why did I get this?",
        "Only outcomes here",
        "Only failures here",
    ]


def test_what_is_followed_can_be_stopped_from_the_menu() -> None:
    """And only that."""
    assert labels(menu.menu(followed=True))[-1] == "Stop following"


def test_the_values_are_words_and_never_a_reference() -> None:
    """An option has room for 75 characters; a reference may have more."""
    values = [option["value"] for option in menu.menu(followed=True)["options"]]
    assert values == ["why", "set follow_ups outcomes", "set follow_ups failures", "stop"]
    assert max(map(len, values)) <= 75


def test_a_message_with_its_menu_says_what_it_said() -> None:
    """Text and blocks stay; the menu is one small row after them, in both renderings."""
    said = Message(
        text="deploy-api failed.",
        blocks=(blocks.rich_text(blocks.line(blocks.text("failed"))),),
        classic=(blocks.section("failed"),),
    )
    under = menu.under(said)
    assert under.text == said.text
    assert [block["type"] for block in under.blocks] == ["rich_text", "actions"]
    assert [block["type"] for block in under.classic] == ["section", "actions"]
    assert problems(list(under.blocks), "message") == []


def test_a_message_without_blocks_keeps_its_words_above_the_menu() -> None:
    """Where there are blocks, Slack does not show the text."""
    under = menu.under(Message(text="Hello."))
    assert under.blocks[0]["text"]["text"] == "Hello."
    assert under.classic == ()


def test_a_message_that_is_full_goes_without_a_menu() -> None:
    """Fifty blocks are Slack's limit; what is said goes before."""
    under = menu.under(Message(text="x", blocks=(blocks.divider(),) * 50))
    assert {block["type"] for block in under.blocks} == {"divider"}
