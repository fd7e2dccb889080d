"""Circuit breaker of a connection: stops calls to an API that keeps failing. No I/O."""

from __future__ import annotations

from bot.sdk.backoff import JITTER, Jitter, backoff

FAILURE_THRESHOLD = 5  # consecutive failures before the circuit opens
INITIAL_OPEN_SECONDS = 15.0  # at most; each further failure doubles it
MAX_OPEN_SECONDS = 300.0
BLOCKED_LOOP_SECONDS = 300.0  # for a provider that blocked the bot's event loop
BLOCKED_THREAD_SECONDS = 60.0  # for a plugin that blocks only its own thread


class CircuitBreaker:
    """Counts a connection's consecutive failures and decides how long the circuit stays open.

    All times are monotonic seconds.
    """

    def __init__(self, jitter: Jitter = JITTER) -> None:
        self._jitter = jitter
        self._failures = 0
        self._open_until = 0.0
        self.rate_limited = False  # whether the circuit is open because the API rate limits

    def open_for(self, now: float) -> float:
        """Return the seconds for which the circuit stays open; 0.0 if it is closed."""
        return max(0.0, self._open_until - now)

    def record_success(self) -> None:
        """Record a response of any kind, also an error about the job: it closes the circuit."""
        self._failures, self._open_until = 0, 0.0

    def record_failure(self, now: float) -> None:
        """Record a call without a response; from the threshold on each one opens the circuit."""
        self._failures += 1
        if self._failures >= FAILURE_THRESHOLD:
            attempt = self._failures - FAILURE_THRESHOLD
            self.open(backoff(attempt, INITIAL_OPEN_SECONDS, MAX_OPEN_SECONDS, self._jitter), now)

    def open(self, seconds: float, now: float, *, rate_limited: bool = False) -> None:
        """Open the circuit for this time, or keep it open if it already stays open for longer.

        `rate_limited`: the API works, but asked for fewer calls.
        """
        self.rate_limited = rate_limited
        self._open_until = max(self._open_until, now + seconds)
