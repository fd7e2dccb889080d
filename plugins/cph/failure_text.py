"""Summarises why the jobs of a request failed, in the API's own words. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from plugins.cph.errors import normalize_code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.sdk import Task

MAX_REASONS = 5  # in a job's message


def format_reason(code: str, message: str) -> str:
    """Return a message and its code as one text."""
    code, message = normalize_code(code), message.strip()
    return f"{message} ({code})" if code and message else message or code


def failure_text(tasks: Sequence[Task]) -> str:
    """Return the only task's message, or each failure reason once with its count."""
    if len(tasks) == 1:
        return tasks[0].message
    reasons = Counter(task.message for task in tasks if task.status.failed and task.message)
    lines = [f"{count} of {len(tasks)}: {reason}" for reason, count in reasons.most_common()]
    more = [f"and {len(lines) - MAX_REASONS} more reasons"] if len(lines) > MAX_REASONS else []
    return "\n".join(lines[:MAX_REASONS] + more)
