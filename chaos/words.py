"""What the simulated jobs say, and how it is read back out of a thread. Pure.

A job takes on each of its words once at most, so a word told twice is a message told twice.
"""

from __future__ import annotations

import re

LIVING = ("SUBMITTED", "SCHEDULED", "RUNNING", "ROLLBACKING", "VERIFYING", "PAUSED", "DRAINING")
ENDS = ("SUCCEEDED", "PARTIALLY_FAILED", "FAILED", "ROLLBACKED", "CANCELLED")

# The provider's own word stands in brackets where it says more than ours.
_OWN = re.compile(rf"\(({'|'.join((*LIVING, *ENDS))})\)")
_OURS = (
    (re.compile(r" is (now |again )?running\b"), "RUNNING"),
    (re.compile(r" succeeded\b"), "SUCCEEDED"),
    (re.compile(r" failed\b"), "FAILED"),
    (re.compile(r" was cancelled\b"), "CANCELLED"),
)
_ASIDES = ("I cannot see how", "I can see ")
_CATCHES_UP = "📬"
SILENCED = "I can no longer post about"
JOB = re.compile(r"JOB[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def told(text: str) -> list[str]:
    """Return the words that a message about a job tells, in its order.

    One that catches up, after a thread could not be told for a while, has a line for each.
    """
    lines = text.splitlines() if text.startswith(_CATCHES_UP) else [text]
    return [word for line in lines for word in _in_sentence(line)]


def _in_sentence(text: str) -> list[str]:
    own = _OWN.findall(text)
    return own or [word for pattern, word in _OURS if pattern.search(text)][:1]


def is_aside(text: str) -> bool:
    """Whether a message tells how the job is followed, not how it goes."""
    return any(words in text for words in _ASIDES)


def jobs(text: str) -> set[str]:
    """Return the ids of the jobs that a text names."""
    return set(JOB.findall(text))
