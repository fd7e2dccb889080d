"""Times are read however APIs write them, and mean the same instant."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.providers.times import moment

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    "value",
    [1670311148207, "1670311148207", 1670311148.207, "2022-12-06T07:19:08.207Z"],
)
def test_a_time_may_be_written_in_any_way(value: Any) -> None:
    """Milliseconds and seconds differ by their size."""
    assert moment(value) == datetime(2022, 12, 6, 7, 19, 8, 207000, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        None,
        0,
        "0",
        "",
        "soon",
        -1,
        "nan",
        "inf",
        10**400,
        1e300,
        [],
        {},
        True,
        "0001-01-01T00:00:00Z",
    ],
)
def test_what_is_no_time_is_no_error(value: Any) -> None:
    """0, nothing and the year 1 mean "not yet"."""
    assert moment(value) is None


def test_a_time_without_a_zone_is_of_the_zone_that_is_named() -> None:
    """And one that has a zone keeps it."""
    assert moment("2026-11-22 20:00:00", SHANGHAI) == NOON
    assert moment("2026-11-22 12:00:00Z", SHANGHAI) == NOON
    assert moment("2026-11-22 12:00:00") == NOON


@pytest.mark.parametrize("fraction", ["", ".5", ".123456789"])
def test_a_second_may_have_any_fraction(fraction: str) -> None:
    """Go writes nine digits, and drops zeros at the end."""
    assert moment(f"2026-11-22T12:00:00{fraction}+00:00") is not None
