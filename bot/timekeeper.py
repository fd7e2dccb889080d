"""The timekeeper: a clock that was set back keeps nobody waiting.

What is due is written down as a moment of the wall clock. When that is set back, by a time server
or a person, everything would wait for as long as the step was wide.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.clock import Clock
    from bot.store import Store

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0  # between looks at the clocks
LONGEST_SECONDS = 900.0  # that anything waits for on purpose, unless jobs are looked at more rarely
STEP_SECONDS = 2.0  # less is a clock that is adjusted, not set
AFTER_A_STEP_SECONDS = 60.0  # that anything still waits for once a step back was seen
CLAIM_SECONDS = 30.0  # that a claim on a message lasts


class Timekeeper:
    """Compares the wall clock with one that nobody sets, and calls back what waits too long."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        poll_seconds: float,
        ring: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._ring = ring  # is told that something is due that was not
        self._monotonic = monotonic
        self._seen: tuple[datetime, float] | None = None

    async def tick(self) -> float:
        """Look at the clocks; return the seconds until the next look."""
        now = self._clock.now()
        stepped = self._stepped_back(now)
        longest = AFTER_A_STEP_SECONDS if stepped else LONGEST_SECONDS
        latest = now + timedelta(seconds=max(longest, self._poll_seconds))
        async with self._store.begin() as tx:
            found = await tx.ahead.recall(
                now, latest=latest, adopt_at=now + timedelta(seconds=CLAIM_SECONDS)
            )
        if found:
            log.warning("the clock was set back: %s things that would wait are due now", found)
            self._ring()
        return LOOK_SECONDS

    def _stepped_back(self, now: datetime) -> bool:
        """Whether the clock was set back since the last look."""
        before, self._seen = self._seen, (now, self._monotonic())
        if before is None:
            return False
        passed = self._seen[1] - before[1]
        return (now - before[0]).total_seconds() < passed - STEP_SECONDS
