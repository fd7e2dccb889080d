"""Stops requests for a while after rejected credentials, so that the account is not locked."""

from __future__ import annotations

from datetime import timedelta

from bot.sdk import Clock, CredentialsRefused

LOCKOUT_SECONDS = 300.0  # the gateway locks a key for so long after five bad signatures


class CredentialLockout:
    """A connection's lockout: starts with a rejection, ends after a fixed time."""

    def __init__(self, name: str, clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._until = 0.0  # monotonic seconds
        self._refused = ""
        self._advice = ""

    def start(self, rejected: str, advice: str) -> CredentialsRefused:
        """Start the lockout; return the error to raise. `rejected` names the rejected settings."""
        self._until = self._clock.monotonic() + LOCKOUT_SECONDS
        self._refused = rejected
        self._advice = advice
        return self._rejection()

    def check(self) -> None:
        """Raise CredentialsRefused during the lockout."""
        if self._clock.monotonic() < self._until:
            raise self._rejection()

    def _rejection(self) -> CredentialsRefused:
        left = timedelta(seconds=self._until - self._clock.monotonic())
        until = f"{self._clock.now() + left:%H:%M} UTC"
        return CredentialsRefused(
            f"{self._name}: Huawei Cloud does not accept {self._refused}. It is not asked again "
            f"before {until}, because a few refusals in a row lock them.",
            next_step=self._advice,
        )
