"""Parts of answers are read with patience."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from bot.providers.payload import Moment, Rows, Word, ZoneName


class Part(BaseModel):
    """A part of an answer in which anything may be absent."""

    name: Word = ""
    at: Moment = None
    parts: Rows[Word] = ()


def test_what_an_answer_leaves_out_is_empty() -> None:
    """Null is no error, a number is a word, and no time is none."""
    assert Part.model_validate({"name": None, "at": "", "parts": None}) == Part()
    assert Part.model_validate({"name": 7, "parts": [1]}) == Part(name="7", parts=("1",))


class Zoned(BaseModel):
    """Settings that name a zone."""

    timezone: ZoneName


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", ""])
def test_a_zone_that_this_machine_does_not_know_is_refused(name: str) -> None:
    """At the start, and not when the first job is shown."""
    with pytest.raises(ValidationError, match="such as Asia/Shanghai"):
        Zoned(timezone=name)
