"""Lenient payload types."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from bot.sdk.payload import OneOrMany, OptionalText, Timestamp, ZoneName


class Payload(BaseModel):
    """A payload whose values may all be absent."""

    name: OptionalText = ""
    at: Timestamp = None
    parts: OneOrMany[OptionalText] = ()


def test_absent_values_are_empty() -> None:
    """Null is no error, a number becomes text, and an empty time is None."""
    assert Payload.model_validate({"name": None, "at": "", "parts": None}) == Payload()
    numbers = Payload.model_validate({"name": 7, "parts": [1]})
    assert numbers == Payload(name="7", parts=("1",))


class ZoneSettings(BaseModel):
    """Settings with a time zone."""

    timezone: ZoneName


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", ""])
def test_unknown_time_zone_is_rejected(name: str) -> None:
    """At start-up, not when the first job is shown."""
    with pytest.raises(ValidationError, match="such as Asia/Shanghai"):
        ZoneSettings(timezone=name)
