"""A circuit breaker: a connection that keeps failing is left in peace for a while. No I/O."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

PATIENCE = 5  # failures in a row before the connection is left in peace
FIRST_SECONDS = 15.0  # of the first pause; each further failure doubles it
LONGEST_SECONDS = 300.0
BLOCKING_SECONDS = 300.0  # for a provider that held the whole bot up
HELD_SECONDS = 60.0  # for a plugin that holds up nothing but itself


class Breaker:
    """Counts a connection's failures in a row, and says how long it is not to be asked."""

    def __init__(self) -> None:
        self._failures = 0
        self._until: datetime | None = None
        self._since = datetime.min.replace(tzinfo=UTC)  # when it was last sent to rest
        self.limited = False  # whether it rests because it asked to be asked less

    def pause(self, now: datetime) -> float:
        """Return the seconds for which the connection is not asked; 0.0: it may be asked."""
        if self._until is None or now < self._since:  # the clock was set back
            return 0.0
        return max(0.0, (self._until - now).total_seconds())

    def answered(self) -> None:
        """Note that the connection answered, whatever it said of the job."""
        self._failures, self._until = 0, None

    def failed(self, now: datetime) -> None:
        """Note that the connection gave no answer; after some of these in a row it rests."""
        self._failures += 1
        if self._failures >= PATIENCE:
            doubled = FIRST_SECONDS * 2 ** min(self._failures - PATIENCE, 10)
            self.rest(min(LONGEST_SECONDS, doubled), now)

    def rest(self, seconds: float, now: datetime, *, limited: bool = False) -> None:
        """Leave the connection in peace for so many seconds, or as long as before if longer.

        `limited`: it asked for that itself, and is otherwise well.
        """
        self.limited = limited
        self._since = now
        until = now + timedelta(seconds=seconds)
        self._until = max(self._until, until) if self._until else until
