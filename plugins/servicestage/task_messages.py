"""Renders a task's `messages`: a string that holds JSON of no documented shape. Pure."""

from __future__ import annotations

import json
from typing import Any

TEXT_KEYS = ("message", "error_msg", "error_message", "errormessage", "msg", "reason", "detail")
MAX_DEPTH = 3  # rendered levels


def render_messages(messages: Any) -> str:
    """Return the text to show: none for "{}", and non-JSON as it is."""
    try:
        parsed = json.loads(messages) if isinstance(messages, str) else messages
        return _plain(parsed, MAX_DEPTH)
    except (ValueError, RecursionError):
        return str(messages).strip()


def _plain(value: Any, depth: int) -> str:
    if value is None or value in ({}, [], ""):
        return ""
    if isinstance(value, str):
        return value.strip()
    if depth == 0 or not isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "\n".join(filter(None, (_plain(item, depth - 1) for item in value)))
    return _plain_object(value, depth)


def _plain_object(value: dict[str, Any], depth: int) -> str:
    """Return the most informative value, or all values with their keys."""
    for key, item in value.items():
        if key.lower() in TEXT_KEYS and isinstance(item, str) and item.strip():
            return item.strip()
    lines = ((key, _plain(item, depth - 1)) for key, item in value.items())
    return "\n".join(f"{key}: {text}" for key, text in lines if text)
