"""Rewriting of times in JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.sdk.conformance import rewrite_times
from bot.sdk.timestamps import parse_time

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize("spelling", ["Z", "+08:00", "-03:30", "s", "ms", ""])
def test_rewritten_time_has_the_same_instant(spelling: str) -> None:
    """At any depth; values that only resemble a time are unchanged."""
    original = {"at": [NOON.isoformat(), 1795348800000], "id": 1964, "name": "2026-11-22 at noon"}
    rewritten = rewrite_times(original, spelling, SHANGHAI)
    assert [parse_time(value, SHANGHAI) for value in rewritten["at"]] == [NOON, NOON]
    assert (rewritten["id"], rewritten["name"]) == (1964, "2026-11-22 at noon")
