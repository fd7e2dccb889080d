"""The same times, written in other ways."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.providers.spellings import respelled
from bot.providers.times import moment

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize("spelling", ["Z", "+08:00", "-03:30", "s", "ms", ""])
def test_a_time_that_is_spelled_otherwise_is_the_same(spelling: str) -> None:
    """At any depth; what only looks a little like a time is left alone."""
    told = {"at": [NOON.isoformat(), 1795348800000], "id": 1964, "name": "2026-11-22 at noon"}
    said = respelled(told, spelling, SHANGHAI)
    assert [moment(value, SHANGHAI) for value in said["at"]] == [NOON, NOON]
    assert (said["id"], said["name"]) == (1964, "2026-11-22 at noon")
