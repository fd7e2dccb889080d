"""Quiet hours of the notification policy, in the channel's time zone."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from bot.notifications.policy import QuietHours

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
NIGHT = QuietHours(begins=time(22), ends=time(7), zone="UTC")


@pytest.mark.parametrize(
    ("local", "ends"),
    [
        ("2026-11-18T21:59", None),
        ("2026-11-18T22:00", "2026-11-19T07:00"),
        ("2026-11-18T23:30", "2026-11-19T07:00"),
        ("2026-11-19T06:59", "2026-11-19T07:00"),
        ("2026-11-19T07:00", None),
    ],
)
def test_quiet_hours_may_cross_midnight(local: str, ends: str | None) -> None:
    """They use the channel's time zone, whatever that of the machine is."""
    berlin = ZoneInfo("Europe/Berlin")
    quiet = NIGHT.replace(zone="Europe/Berlin")
    now = datetime.fromisoformat(local).replace(tzinfo=berlin).astimezone(UTC)
    end = quiet.end_after(now)
    assert end == (datetime.fromisoformat(ends).replace(tzinfo=berlin) if ends else None)


def test_quiet_hours_within_a_day_end_on_that_day() -> None:
    """Quiet hours at lunch do not continue at night."""
    lunch = QuietHours(begins=time(12), ends=time(13), zone="UTC")
    assert lunch.end_after(NOON) == NOON + timedelta(hours=1)
    assert lunch.end_after(NOON + timedelta(hours=1)) is None


def test_quiet_hours_without_an_end_are_rejected() -> None:
    """What they defer would never be posted."""
    with pytest.raises(ValidationError, match="must end at another time"):
        QuietHours(begins=time(8), ends=time(8), zone="UTC")


def test_quiet_hours_end_by_wall_clock_when_dst_ends() -> None:
    """The end stays 07:00 local time, however long the night was."""
    quiet = NIGHT.replace(zone="Europe/Berlin")
    evening = datetime(2026, 10, 24, 23, tzinfo=ZoneInfo("Europe/Berlin"))
    end = quiet.end_after(evening.astimezone(UTC))
    assert end is not None
    assert end.astimezone(UTC) == datetime(2026, 10, 25, 6, tzinfo=UTC)


def test_unknown_time_zone_is_rejected() -> None:
    """The error is raised when the zone is set, not when quiet hours begin."""
    with pytest.raises(ValidationError, match="must name a time zone"):
        QuietHours(begins=time(22), ends=time(7), zone="Europe/Berlim")
