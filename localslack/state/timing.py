"""Slack's timeouts and limits, which tests shorten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Immediately, after 1 minute, after 5 minutes: https://docs.slack.dev/apis/events-api#retries
RETRY_SECONDS = (0.0, 60.0, 300.0)


@dataclass(frozen=True, slots=True)
class Timing:
    """Slack's timeouts and limits."""

    ack_seconds: float = 3.0  # real seconds, not on the clock
    ping_seconds: float = 10.0
    retry_seconds: Sequence[float] = RETRY_SECONDS  # on the clock, one per retry
    posts_per_second: float | None = None  # per channel; None is no limit
    burst: int = 4  # posts allowed at once before the limit applies
