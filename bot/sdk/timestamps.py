"""Parses timestamps: ISO 8601 with or without a zone, or a number since 1970. No I/O."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

MIN_TIME = datetime(1980, 1, 1, tzinfo=UTC)  # APIs write "not yet" as 0, Go as the year 1
MAX_SECONDS = 1e11  # the year 5138; a larger number counts ms, µs or ns

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def check_zone(name: str) -> str:
    """Return the name of a time zone; raises ValueError if this machine does not know it."""
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(
            "it must be a zone that this machine knows, such as Asia/Shanghai"
        ) from None
    return name


def parse_time(value: object, zone: tzinfo = UTC) -> datetime | None:
    """Return an aware time in UTC, or None if the value is no time.

    A time without a zone is read in `zone`.
    """
    try:
        time = _parse(value, zone)
    except (ValueError, OverflowError, OSError):
        return None
    return time if time > MIN_TIME else None


def _parse(value: object, zone: tzinfo) -> datetime:
    text = str(value).strip()
    if _NUMBER.fullmatch(text):
        return datetime.fromtimestamp(to_seconds(float(text)), UTC)
    time = datetime.fromisoformat(text)
    return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)


def to_seconds(number: float) -> float:
    """Convert a number of seconds, ms, µs or ns, distinguished by size, to seconds."""
    for _ in ("ms", "µs", "ns"):
        if number >= MAX_SECONDS:
            number /= 1000
    return number if number < MAX_SECONDS else 0.0  # too large for any of them
