"""AOM's times: milliseconds or seconds since 1970, as numbers or strings, or ISO 8601. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator

from plugins.huaweicloud.payload import moment

SECONDS_BELOW = 1e11  # as seconds that is the year 5138, as milliseconds 1973


def instant(value: Any) -> datetime | None:
    """Return a time, or None if it is none: 0 and nothing mean "not yet"."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return moment(value)
    return _since_1970(number if number < SECONDS_BELOW else number / 1000)


def _since_1970(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


Instant = Annotated[datetime | None, BeforeValidator(instant)]
