"""Detects a wall-clock step back and re-schedules rows.

Due times are stored as wall-clock times. After the clock is set back, by a time server or a
person, every row would wait for as long as the step.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.sdk.clock import Clock
    from bot.store import Store

log = logging.getLogger(__name__)

CHECK_SECONDS = 5.0  # between comparisons of the clocks
MAX_WAIT_SECONDS = 900.0  # longest intended wait, unless the poll interval is longer
MIN_STEP_SECONDS = 2.0  # less is an adjustment, not a step
MAX_WAIT_AFTER_STEP_SECONDS = 60.0  # longest wait of any row after a step back
LEASE_SECONDS = 30.0  # of a claimed message


class ClockStepGuard:
    """Compares the wall clock with the monotonic clock; makes rows due that wait too long."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        poll_seconds: float,
        wake_workers: Callable[[], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._wake_workers = wake_workers  # after rows were made due
        self._last_seen: tuple[datetime, float] | None = None

    async def tick(self) -> float:
        """Compare the clocks; return the seconds until the next comparison."""
        now = self._clock.now()
        stepped = self._stepped_back(now)
        longest = MAX_WAIT_AFTER_STEP_SECONDS if stepped else MAX_WAIT_SECONDS
        latest = now + timedelta(seconds=max(longest, self._poll_seconds))
        async with self._store.begin() as tx:
            count = await tx.due_times.pull_forward(
                now, latest=latest, reclaim_at=now + timedelta(seconds=LEASE_SECONDS)
            )
        if count:
            log.warning("the clock was set back: %s rows are due now", count)
            self._wake_workers()
        return CHECK_SECONDS

    def _stepped_back(self, now: datetime) -> bool:
        """Return whether the clock was set back since the last comparison."""
        before, self._last_seen = self._last_seen, (now, self._clock.monotonic())
        if before is None:
            return False
        elapsed = self._last_seen[1] - before[1]
        return (now - before[0]).total_seconds() < elapsed - MIN_STEP_SECONDS
