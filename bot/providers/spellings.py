"""The same times, written in other ways, anywhere in JSON: what a provider must not mind. Pure."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from typing import Any

from bot.providers.times import moment, seconds

_WRITTEN = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?")
_NUMBERS = (9e8, 5e9)  # seconds, from 1998 to 2128: what is likely to be a time


def respelled(value: Any, spelling: str, zone: tzinfo) -> Any:
    """Return JSON in which every time is written in another way, and means the same.

    `spelling` is "Z", or an offset such as "-03:30"; "s" or "ms" since 1970; or "", which is
    without a zone: the time is then that of `zone`.
    """
    if isinstance(value, dict):
        return {key: respelled(item, spelling, zone) for key, item in value.items()}
    if isinstance(value, list):
        return [respelled(item, spelling, zone) for item in value]
    found = moment(value, zone) if _like_a_time(value) else None
    return value if found is None else _spelled(found, spelling, zone)


def _like_a_time(value: Any) -> bool:
    if isinstance(value, str):
        return bool(_WRITTEN.fullmatch(value))
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and _NUMBERS[0] < seconds(value) < _NUMBERS[1]


def _spelled(when: datetime, spelling: str, zone: tzinfo) -> str | float:
    if spelling in ("s", "ms"):
        seconds = when.timestamp()
        return seconds if spelling == "s" else round(seconds * 1000)
    if not spelling:
        return when.astimezone(zone).replace(tzinfo=None).isoformat(" ")
    if spelling == "Z":
        return when.isoformat().replace("+00:00", "Z")
    return when.astimezone(
        datetime.fromisoformat(f"2000-01-01T00:00:00{spelling}").tzinfo
    ).isoformat()
