"""Times as APIs write them: ISO 8601 with or without a zone, or a number since 1970. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)  # "not yet" is written as 0, and by Go as the year 1
FARTHEST = 1e11  # seconds: the year 5138; a larger number counts ms, µs or ns

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def known_zone(name: str) -> str:
    """Return the name of a time zone; raises ValueError if this machine does not know it."""
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(
            "it must be a zone that this machine knows, such as Asia/Shanghai"
        ) from None
    return name


def moment(value: object, zone: tzinfo = UTC) -> datetime | None:
    """Return a time, aware and in UTC, or None if it is none; one without a zone is of `zone`."""
    try:
        found = _read(value, zone)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found > EARLIEST else None


def _read(value: object, zone: tzinfo) -> datetime:
    written = str(value).strip()
    if _NUMBER.fullmatch(written):
        return datetime.fromtimestamp(seconds(float(written)), UTC)
    found = datetime.fromisoformat(written)
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def seconds(number: float) -> float:
    """Return as seconds what may count seconds, ms, µs or ns."""
    for _ in ("ms", "µs", "ns"):
        if number >= FARTHEST:
            number /= 1000
    return number if number < FARTHEST else 0.0  # too much for any of them
