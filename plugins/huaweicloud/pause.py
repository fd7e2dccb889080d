"""Stop asking for a while after credentials were refused, so that nothing gets locked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.errors import CredentialsRefused

if TYPE_CHECKING:
    from datetime import datetime

    from bot.clock import Clock

LENGTH = timedelta(minutes=5)  # as long as the gateway locks a key after five wrong signatures


class Pause:
    """A connection's pause; it begins with a refusal and ends by itself."""

    def __init__(self, name: str, clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._ends: datetime | None = None
        self._refused = ""
        self._advice = ""

    def begin(self, refused: str, advice: str) -> CredentialsRefused:
        """Begin the pause and return the error to raise; `refused` names the settings at fault."""
        self._ends = self._clock.now() + LENGTH
        self._refused = refused
        self._advice = advice
        return self._error()

    def check(self) -> None:
        """Raise CredentialsRefused while the pause lasts."""
        if self._ends is not None and self._clock.now() < self._ends:
            raise self._error()

    def _error(self) -> CredentialsRefused:
        until = f"{self._ends:%H:%M} UTC" if self._ends else ""
        return CredentialsRefused(
            f"{self._name}: Huawei Cloud does not accept {self._refused}. It is not asked again "
            f"before {until}, because a few refusals in a row lock them.",
            next_step=self._advice,
        )
