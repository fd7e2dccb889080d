"""Parsing of timestamps in the formats of APIs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.sdk.timestamps import parse_time

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    "value",
    [1670311148207, "1670311148207", 1670311148.207, "2022-12-06T07:19:08.207Z"],
)
def test_timestamp_is_parsed_in_every_format(value: Any) -> None:
    """Seconds and milliseconds are distinguished by size."""
    assert parse_time(value) == datetime(2022, 12, 6, 7, 19, 8, 207000, tzinfo=UTC)


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
def test_value_that_is_no_time_is_none(value: Any) -> None:
    """0, empty values and the year 1 mean "not yet"."""
    assert parse_time(value) is None


def test_time_without_zone_is_read_in_the_given_zone() -> None:
    """The zone of the text has precedence; the default is UTC."""
    assert parse_time("2026-11-22 20:00:00", SHANGHAI) == NOON
    assert parse_time("2026-11-22 12:00:00Z", SHANGHAI) == NOON
    assert parse_time("2026-11-22 12:00:00") == NOON


@pytest.mark.parametrize("fraction", ["", ".5", ".123456789"])
def test_seconds_may_have_a_fraction(fraction: str) -> None:
    """Go writes up to nine digits, without trailing zeros."""
    assert parse_time(f"2026-11-22T12:00:00{fraction}+00:00") is not None
