"""What a channel may want to hear: quiet hours by the clock on its wall."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from bot.noise.policy import QuietHours

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
def test_quiet_hours_reach_over_midnight(local: str, ends: str | None) -> None:
    """In the zone of the channel, whatever that of the machine is."""
    berlin = ZoneInfo("Europe/Berlin")
    quiet = NIGHT.but(zone="Europe/Berlin")
    now = datetime.fromisoformat(local).replace(tzinfo=berlin).astimezone(UTC)
    end = quiet.end_after(now)
    assert end == (datetime.fromisoformat(ends).replace(tzinfo=berlin) if ends else None)


def test_quiet_hours_within_a_day_are_over_in_the_evening() -> None:
    """A lunch break is not a night."""
    lunch = QuietHours(begins=time(12), ends=time(13), zone="UTC")
    assert lunch.end_after(NOON) == NOON + timedelta(hours=1)
    assert lunch.end_after(NOON + timedelta(hours=1)) is None


def test_quiet_hours_that_never_end_are_refused() -> None:
    """What they hold back would never be told."""
    with pytest.raises(ValidationError, match="must end at another time"):
        QuietHours(begins=time(8), ends=time(8), zone="UTC")


def test_quiet_hours_end_by_the_wall_clock_when_summer_time_does() -> None:
    """Seven o'clock is seven o'clock, however long the night was."""
    quiet = NIGHT.but(zone="Europe/Berlin")
    evening = datetime(2026, 10, 24, 23, tzinfo=ZoneInfo("Europe/Berlin"))
    end = quiet.end_after(evening.astimezone(UTC))
    assert end is not None
    assert end.astimezone(UTC) == datetime(2026, 10, 25, 6, tzinfo=UTC)


def test_a_zone_that_does_not_exist_is_a_sentence() -> None:
    """It is told when it is set, not when the night comes."""
    with pytest.raises(ValidationError, match="must name a time zone"):
        QuietHours(begins=time(22), ends=time(7), zone="Europe/Berlim")
