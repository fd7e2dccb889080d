"""Texts about jobs that cannot be polled and messages that cannot be posted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sdk.models import JobRef
from bot.tracking import texts
from localslack.blockkit.validation import problems

if TYPE_CHECKING:
    from bot.sdk.models import Message

REF = JobRef(connection="deploys", id="JOB1")
HOSTILE = "<!channel> *bold* `code` & <https://evil.example|click>"


def all_texts(text: str) -> list[Message]:
    """Return every message that repeats untrusted text."""
    return [
        texts.polling_failed(text, text),
        texts.polling_recovered(text),
        texts.job_missing(text, REF),
        texts.card_rejected(text, "a1"),
        texts.thread_unreachable(text, "C1", text),
    ]


@given(st.text(st.characters(codec="utf-8"), max_size=400))
def test_every_text_fits_slacks_limits(text: str) -> None:
    """The rules of the local Slack find nothing, for any repeated text."""
    for message in all_texts(text):
        assert 0 < len(message.text) <= 4_000
        assert problems(list(message.blocks), "message") == []


@pytest.mark.parametrize("number", range(5))
def test_untrusted_text_cannot_mention_or_link(number: int) -> None:
    """Untrusted text is escaped."""
    message = all_texts(HOSTILE)[number]
    shown = f"{message.text} {message.blocks}"
    assert "<!channel>" not in shown
    assert "<https://evil" not in shown


@pytest.mark.parametrize("message", [texts.not_in_channel(), texts.connection_removed(REF)])
def test_other_texts_are_whole_sentences(message: Message) -> None:
    """They end with a full stop."""
    assert message.text.endswith(".")
