"""Converts JSON values to words and texts. Pure."""

from __future__ import annotations

import json
from typing import Any


def to_word(value: Any) -> str:
    """Return a string, number or boolean as one word, as JSON writes it; "" for other values."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value) if isinstance(value, bool | int | float) else ""


def to_text(value: Any) -> str:
    """Return any value as text for people: a list line by line, an object as JSON."""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "\n".join(filter(None, map(to_text, value)))
    return to_word(value)
