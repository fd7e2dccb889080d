"""One safeguard broken on purpose, so that the proof (`make chaos`) is seen to fail without it.

This is the only place that reads the variable. In operation it is absent and nothing is broken; a
bot that finds it says so in its log, at every start.
"""

from __future__ import annotations

import os
import secrets
from enum import StrEnum

VARIABLE = "JOBTHREAD_SABOTAGE"


class Safeguard(StrEnum):
    """What keeps a message from being lost, or from being said twice."""

    CAS = "cas"  # the compare-and-set on a job's revision
    KEY = "key"  # the unique keys of questions and messages
    LOOKUP = "lookup"  # the search in Slack before a doubtful message is sent again


_BROKEN = os.environ.get(VARIABLE, "")


def broken(safeguard: Safeguard) -> bool:
    """Whether this process is to do without the safeguard."""
    return safeguard == _BROKEN


def key(written: str) -> str:
    """Return a key as it is to be written down: itself, unless keys are to be unique no more."""
    return f"{written}~{secrets.token_hex(4)}" if broken(Safeguard.KEY) else written


def warning() -> str:
    """Return what the log must say, or nothing."""
    return f"{VARIABLE} is set: {_BROKEN} is broken on purpose" if _BROKEN else ""
