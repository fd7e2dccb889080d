"""Runs a built-in provider in the bot's event loop; has the methods of a plugin thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

MAX_STEP_SECONDS = 1.0  # for which a provider may block the event loop without an await

T = TypeVar("T")


class BotLoop:
    """Runs a provider in the bot's event loop."""

    def __init__(self) -> None:
        self._close_callbacks: list[Callable[[], Awaitable[None]]] = []

    @property
    def max_step_seconds(self) -> float:
        """How long a call may run without an await."""
        return MAX_STEP_SECONDS

    async def run(self, function: Callable[[], Awaitable[T]], seconds: float) -> T:
        """Run a coroutine function; the caller's own deadline ends it."""
        del seconds
        return await function()

    def call_method(self, method: Callable[..., T], *args: Any) -> T:
        """Call a provider's synchronous method."""
        return method(*args)

    def on_close(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Register a coroutine function that `close` runs."""
        self._close_callbacks.append(callback)

    async def close(self) -> None:
        """Run the registered functions."""
        for callback in self._close_callbacks:
            await callback()
