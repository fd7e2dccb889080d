"""Sessions: one shared sign-in, a cached token, and a pause after a rejected sign-in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from bot.sdk import AccessDenied, Clock, CredentialsRefused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from datetime import datetime
    from typing import Any


REJECTED_PAUSE_SECONDS = 300.0  # pause after a rejected sign-in

T = TypeVar("T")


class SessionEnded(CredentialsRefused):
    """The token is no longer accepted; a new one may be."""


class AccountLocked(CredentialsRefused):
    """The account is locked after too many failures; the next attempt is after `seconds`."""

    retry_seconds = 3600.0


@dataclass(frozen=True)
class Token:
    """The result of a sign-in."""

    value: str = field(repr=False)
    valid_until: datetime  # aware, UTC


class SingleFlight:
    """Single flight: concurrent callers share one execution and its result or error."""

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None

    async def do(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Start the work, or wait for the execution that is already running."""
        task: asyncio.Task[T] | None = self._task
        if task is None or task.done():
            task = self._task = asyncio.ensure_future(work())
            task.add_done_callback(_retrieve)
        return await asyncio.shield(task)


def _retrieve(task: asyncio.Task[Any]) -> None:
    """Retrieve the error even if no caller is left, so that asyncio does not report it."""
    if not task.cancelled():
        task.exception()


class Session:
    """A connection's session; `sign_in` fetches a token and is called as rarely as possible."""

    def __init__(self, clock: Clock, sign_in: Callable[[], Coroutine[Any, Any, Token]]) -> None:
        self._clock = clock
        self._sign_in = sign_in
        self._single_flight = SingleFlight()
        self._token: Token | None = None
        # Its end in monotonic seconds, and why.
        self._pause: tuple[float, CredentialsRefused | AccessDenied] | None = None

    async def call(self, call: Callable[[str], Awaitable[T]]) -> T:
        """Make a call with the token; if it has expired, once more with a new one."""
        token = await self._valid_token()
        try:
            return await call(token.value)
        except SessionEnded:
            self._drop(token)
        token = await self._valid_token()
        try:
            return await call(token.value)
        except SessionEnded as error:
            self._drop(token)
            raise self._start_pause(error) from None

    async def _valid_token(self) -> Token:
        """Return a valid token; concurrent callers wait for the same new one."""
        if self._token and self._clock.now() < self._token.valid_until:
            return self._token
        if self._pause and (left := self._pause[0] - self._clock.monotonic()) > 0:
            raise self._pause_error(left, self._pause[1])
        return await self._single_flight.do(self._renew)

    async def _renew(self) -> Token:
        try:
            self._token = await self._sign_in()
        except (CredentialsRefused, AccessDenied) as error:
            raise self._start_pause(error) from None
        return self._token

    def _drop(self, token: Token) -> None:
        """Forget a token, unless it was already replaced."""
        if self._token is token:
            self._token = None

    def _start_pause(self, error: CredentialsRefused | AccessDenied) -> CredentialsRefused:
        """Start a pause, and return the error to raise until its end."""
        seconds = (
            error.retry_seconds if isinstance(error, AccountLocked) else REJECTED_PAUSE_SECONDS
        )
        self._pause = self._clock.monotonic() + seconds, error
        return self._pause_error(seconds, error)

    def _pause_error(
        self, seconds: float, error: CredentialsRefused | AccessDenied
    ) -> CredentialsRefused:
        until = self._clock.now() + timedelta(seconds=seconds)
        return CredentialsRefused(
            f"{error.sentence} It is not asked again before {until:%H:%M} UTC.",
            next_step=error.advice,
        )
