"""Statuses of the simulated jobs, and a parser of the bot's texts. Pure.

A job has each status at most once, so a repeated status is a duplicate message.
"""

from __future__ import annotations

import re

ACTIVE_STATUSES = (
    "SUBMITTED",
    "SCHEDULED",
    "RUNNING",
    "ROLLBACKING",
    "VERIFYING",
    "PAUSED",
    "DRAINING",
)
FINAL_STATUSES = ("SUCCEEDED", "PARTIALLY_FAILED", "FAILED", "ROLLBACKED", "CANCELLED")

# The native status follows in brackets where it is more specific than ours.
_NATIVE = re.compile(rf"\(({'|'.join((*ACTIVE_STATUSES, *FINAL_STATUSES))})\)")
_PHRASES = (
    (re.compile(r" is (now |again )?running\b"), "RUNNING"),
    (re.compile(r" succeeded\b"), "SUCCEEDED"),
    (re.compile(r" failed\b"), "FAILED"),
    (re.compile(r" was cancelled\b"), "CANCELLED"),
)
_POLLING_NOTICES = ("I cannot see how", "I can see ")
_CATCH_UP = "📬"
UNREACHABLE_NOTICE = "I can no longer post about"
JOB = re.compile(r"JOB[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def statuses_in(text: str) -> list[str]:
    """Return the statuses that a message reports, in order.

    A catch-up reply has one line for each.
    """
    lines = text.splitlines() if text.startswith(_CATCH_UP) else [text]
    return [word for line in lines for word in _in_line(line)]


def _in_line(text: str) -> list[str]:
    native = _NATIVE.findall(text)
    return native or [word for pattern, word in _PHRASES if pattern.search(text)][:1]


def is_polling_notice(text: str) -> bool:
    """Return whether a message is about the polling of a job, not its status."""
    return any(phrase in text for phrase in _POLLING_NOTICES)


def job_ids(text: str) -> set[str]:
    """Return the job ids in a text."""
    return set(JOB.findall(text))
