"""Sessions: sign in once for all who wait, stay signed in, and never knock too often."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from bot.errors import AccessDenied, CredentialsRefused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from datetime import datetime
    from typing import Any

    from bot.clock import Clock

REFUSED_SECONDS = 300.0  # nobody knocks again so soon after a refusal

T = TypeVar("T")


class SessionEnded(CredentialsRefused):
    """The token is no longer accepted; a new one may be."""


class Locked(CredentialsRefused):
    """The account is locked after too many wrong keys; `seconds` until it is tried again."""

    seconds = 3600.0


@dataclass(frozen=True)
class Token:
    """What signing in gave."""

    value: str = field(repr=False)
    fresh_until: datetime  # aware


class Together:
    """Work that is done once for all who want its outcome at the same time: its value or error."""

    def __init__(self) -> None:
        self._under_way: asyncio.Task[Any] | None = None

    async def do(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do the work, or wait for it if somebody has it done already."""
        task: asyncio.Task[T] | None = self._under_way
        if task is None or task.done():
            task = self._under_way = asyncio.ensure_future(work())
            task.add_done_callback(_heed)
        return await asyncio.shield(task)


def _heed(task: asyncio.Task[Any]) -> None:
    """Take note of an error even if everybody who wanted the outcome has gone."""
    if not task.cancelled():
        task.exception()


class Session:
    """A connection's session; `sign_in` asks for a token, and is called as seldom as can be."""

    def __init__(self, clock: Clock, sign_in: Callable[[], Coroutine[Any, Any, Token]]) -> None:
        self._clock = clock
        self._sign_in = sign_in
        self._together = Together()
        self._token: Token | None = None
        self._pause: tuple[datetime, CredentialsRefused | AccessDenied] | None = None

    async def ask(self, call: Callable[[str], Awaitable[T]]) -> T:
        """Make a call with the token; if that has ended, once more with a new one."""
        token = await self._valid()
        try:
            return await call(token.value)
        except SessionEnded:
            self._drop(token)
        token = await self._valid()
        try:
            return await call(token.value)
        except SessionEnded as error:
            self._drop(token)
            raise self._stop(error) from None

    async def _valid(self) -> Token:
        """Return a token that is fresh; who needs a new one waits for the same one."""
        if self._token and self._clock.now() < self._token.fresh_until:
            return self._token
        if self._pause and self._clock.now() < self._pause[0]:
            raise _told(*self._pause)
        return await self._together.do(self._renew)

    async def _renew(self) -> Token:
        try:
            self._token = await self._sign_in()
        except (CredentialsRefused, AccessDenied) as error:
            raise self._stop(error) from None
        return self._token

    def _drop(self, token: Token) -> None:
        """Forget a token, unless somebody has renewed it meanwhile."""
        if self._token is token:
            self._token = None

    def _stop(self, error: CredentialsRefused | AccessDenied) -> CredentialsRefused:
        """Begin a pause, and return the error to raise until its end."""
        seconds = error.seconds if isinstance(error, Locked) else REFUSED_SECONDS
        self._pause = self._clock.now() + timedelta(seconds=seconds), error
        return _told(*self._pause)


def _told(until: datetime, error: CredentialsRefused | AccessDenied) -> CredentialsRefused:
    return CredentialsRefused(
        f"{error.sentence} It is not asked again before {until:%H:%M} UTC.",
        next_step=error.advice,
    )
