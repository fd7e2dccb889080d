"""Values of any JSON, read as words, texts and moments. Pure."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

FARTHEST = 1e11  # seconds: the year 5138; a larger number counts ms, µs or ns
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def word(value: Any) -> str:
    """Return a text, number or truth as one word, as JSON writes it; empty for all else."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value) if isinstance(value, bool | int | float) else ""


def text(value: Any) -> str:
    """Return any value for people to read: a list line by line, an object as JSON."""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "\n".join(filter(None, map(text, value)))
    return word(value)


def moment(value: Any, zone: ZoneInfo) -> datetime | None:
    """Return a time, or None if it is not one: ISO 8601, or seconds to nanoseconds since 1970.

    A time without a zone is of `zone`. Zero and Go's year 1 mean that there is no time yet.
    """
    try:
        found = _read(word(value).strip(), zone)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.year > 1970 else None


def _read(written: str, zone: ZoneInfo) -> datetime:
    if _NUMBER.fullmatch(written):
        return datetime.fromtimestamp(_seconds(float(written)), UTC)
    found = datetime.fromisoformat(written)
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def _seconds(number: float) -> float:
    for _ in ("ms", "µs", "ns"):
        if number >= FARTHEST:
            number /= 1000
    return number
