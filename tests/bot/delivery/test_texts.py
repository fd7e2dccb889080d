"""Text of the catch-up reply."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.delivery import texts
from bot.sdk.cards import blocks, message_size

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_catch_up_shows_every_item_with_wide_characters() -> None:
    """Slack counts some characters twice; sections stay within 3,000 of them."""
    items = [f"{'🦄' * 20}{'x' * 140} end {n}." for n in range(20)]
    message = texts.catch_up(NOON, items, "", "")
    shown = "\n".join(block["text"]["text"] for block in message.blocks)
    assert [n for n in range(20) if f" end {n}." not in shown] == []
    assert max(blocks.length(block["text"]["text"]) for block in message.blocks) <= 3_000


def test_catch_up_stays_within_the_json_size_limit() -> None:
    """Long items are cut so that Slack accepts the message."""
    items = [f"{n}: " + '"\\\n' * 160 for n in range(20)]
    message = texts.catch_up(NOON, items, "", "")
    shown = "\n".join(block["text"]["text"] for block in message.blocks)
    assert [n for n in range(20) if f"• {n}: " not in shown] == []
    assert message_size.fits(message, room=message_size.ROOM_BESIDE)


def test_cut_item_keeps_its_mention() -> None:
    """A cut outcome still mentions its requester, and no tag is cut in two."""
    items = [f"{'x' * 495} <https://a.example/1|log>", f"{'y' * 600} <@U1>"]
    message = texts.catch_up(NOON, items, "", "")
    first, second = message.text.splitlines()[1:]
    assert "<" not in first
    assert second.endswith("… <@U1>")
