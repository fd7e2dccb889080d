"""Rewrites all times in JSON to another format, for tests of providers. No I/O."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from typing import Any

from bot.sdk.timestamps import parse_time, to_seconds

_ISO_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?")
_TIME_RANGE = (9e8, 5e9)  # seconds, from 1998 to 2128: numbers in it are taken for times


def rewrite_times(value: Any, time_format: str, zone: tzinfo) -> Any:
    """Return JSON in which every time is written in another format; the instants stay the same.

    `spelling` is "Z", or an offset such as "-03:30"; "s" or "ms" since 1970; or "" for a local
    time of `zone` without an offset.
    """
    if isinstance(value, dict):
        return {key: rewrite_times(item, time_format, zone) for key, item in value.items()}
    if isinstance(value, list):
        return [rewrite_times(item, time_format, zone) for item in value]
    time = parse_time(value, zone) if _looks_like_time(value) else None
    return value if time is None else _format_time(time, time_format, zone)


def _looks_like_time(value: Any) -> bool:
    if isinstance(value, str):
        return bool(_ISO_TIME.fullmatch(value))
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and _TIME_RANGE[0] < to_seconds(value) < _TIME_RANGE[1]


def _format_time(time: datetime, spelling: str, zone: tzinfo) -> str | float:
    if spelling in ("s", "ms"):
        timestamp = time.timestamp()
        return timestamp if spelling == "s" else round(timestamp * 1000)
    if not spelling:
        return time.astimezone(zone).replace(tzinfo=None).isoformat(" ")
    if spelling == "Z":
        return time.isoformat().replace("+00:00", "Z")
    return time.astimezone(
        datetime.fromisoformat(f"2000-01-01T00:00:00{spelling}").tzinfo
    ).isoformat()
