"""Rate limiter: a token bucket per channel, on the workspace's clock. No I/O."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from localslack.state.clock import Clock


class RateLimiter:
    """A token bucket per channel: capacity `burst` posts, refill `per_second`."""

    def __init__(self, clock: Clock, per_second: float | None, burst: int = 4) -> None:
        self._clock = clock
        self._per_second = per_second
        self._burst = burst
        self._levels: dict[str, tuple[float, datetime]] = {}

    def acquire(self, channel: str) -> int:
        """Take a token and return 0, or return the seconds until one is available, rounded up."""
        if self._per_second is None:
            return 0
        level = self._level(channel, self._per_second)
        allowed = level >= 1
        self._levels[channel] = (level - 1 if allowed else level, self._clock.now())
        return 0 if allowed else max(1, math.ceil((1 - level) / self._per_second))

    def _level(self, channel: str, per_second: float) -> float:
        level, since = self._levels.get(channel, (float(self._burst), self._clock.now()))
        grown = level + (self._clock.now() - since).total_seconds() * per_second
        return min(float(self._burst), grown)
