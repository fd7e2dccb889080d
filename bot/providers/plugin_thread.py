"""Runs a third-party plugin in a thread with its own event loop."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future
from functools import partial
from math import inf
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

PING_INTERVAL_SECONDS = 5.0  # a call waits so long, pings the loop, and waits once more
CALL_TIMEOUT_SECONDS = 0.2  # of a plugin's synchronous method; the bot's loop waits for it
PING_TIMEOUT_SECONDS = 0.1  # a free loop answers a ping much faster
JOIN_TIMEOUT_SECONDS = 2.0  # for the thread, at shutdown

T = TypeVar("T")


class PluginBlocked(Exception):
    """The plugin's code blocks its own event loop."""


class PluginThread:
    """Thread and event loop of one plugin; the thread starts at the first call.

    Code that blocks does not block the bot. Its callers time out, and until the loop runs again
    further calls fail at once.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._thread: Thread | None = None
        self._started: Future[asyncio.AbstractEventLoop] = Future()
        self._close_callbacks: list[Callable[[], Awaitable[None]]] = []
        self._pinged_at: float | None = None  # monotonic seconds; None: no ping is unanswered

    @property
    def max_step_seconds(self) -> float:
        """How long a call may run without an await: here it blocks only the plugin itself."""
        return inf

    @property
    def blocked(self) -> bool:
        """Whether the loop has not answered a ping in time."""
        pinged_at = self._pinged_at
        return pinged_at is not None and monotonic() - pinged_at > PING_TIMEOUT_SECONDS

    async def run(self, function: Callable[[], Awaitable[T]], seconds: float) -> T:
        """Run a coroutine function in the thread and return its result.

        Raises TimeoutError after the given time, and PluginBlocked if the loop is blocked.
        """
        result = asyncio.wrap_future(self._submit(function))
        try:
            async with asyncio.timeout(seconds):
                while not (await asyncio.wait({result}, timeout=PING_INTERVAL_SECONDS))[0]:
                    self._raise_if_blocked()
                    self._ping_loop()
        finally:
            self._abandon(result)
        if result.cancelled():
            raise RuntimeError("the plugin cancelled itself")
        return result.result()

    def call(self, function: Callable[..., T], *args: object) -> T:
        """Call a synchronous function in the thread and return its result; blocks briefly.

        Raises TimeoutError, and after that PluginBlocked at once until the loop runs again.
        """
        result = self._submit(partial(_call, function, args))
        try:
            return result.result(CALL_TIMEOUT_SECONDS)
        finally:
            self._abandon(result, waited_seconds=CALL_TIMEOUT_SECONDS)

    def call_method(self, method: Callable[..., T], *args: Any) -> T:
        """Call a provider's synchronous method in the thread, unless it is the base class's."""
        is_inherited = method.__module__ == "bot.sdk.provider"
        return method(*args) if is_inherited else self.call(method, *args)

    def on_close(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Register a coroutine function that `close` runs in the thread."""
        self._close_callbacks.append(callback)

    async def close(self) -> None:
        """Stop the thread; one that is blocked stops once its code returns."""
        if self._thread is None:
            return
        loop, thread, self._thread = self._started.result(), self._thread, None
        loop.call_soon_threadsafe(self._stop.set)
        await asyncio.to_thread(thread.join, JOIN_TIMEOUT_SECONDS)
        if thread.is_alive():
            log.warning("the thread of plugin %s does not stop", self.name)

    def _submit(self, function: Callable[[], Awaitable[T]]) -> Future[T]:
        self._raise_if_blocked()
        return asyncio.run_coroutine_threadsafe(_await(function), self._loop())

    def _abandon(
        self, result: Future[Any] | asyncio.Future[Any], waited_seconds: float = 0.0
    ) -> None:
        """Cancel an unfinished call and ping the loop, which was unresponsive for so long."""
        if not result.done():
            result.cancel()
            self._ping_loop(waited_seconds)

    def _raise_if_blocked(self) -> None:
        if self.blocked:
            raise PluginBlocked(self.name)

    def _ping_loop(self, waited_seconds: float = 0.0) -> None:
        if self._pinged_at is None:
            self._pinged_at = monotonic() - waited_seconds
            self._loop().call_soon_threadsafe(self._on_ping)

    def _on_ping(self) -> None:
        self._pinged_at = None

    def _loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop; starting it takes under a millisecond and runs no plugin code."""
        if self._thread is None:
            self._started = Future()
            # A daemon thread: a plugin that never returns does not prevent the process from ending.
            self._thread = Thread(target=self._main, name=f"plugin {self.name}", daemon=True)
            self._thread.start()
        return self._started.result()

    def _main(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self._started.set_result(asyncio.get_running_loop())
        await self._stop.wait()
        for callback in self._close_callbacks:
            await callback()


async def _await(function: Callable[[], Awaitable[T]]) -> T:
    try:
        return await function()
    except (SystemExit, KeyboardInterrupt) as error:  # these would end the thread
        raise RuntimeError(f"the plugin raised {type(error).__name__}") from error


async def _call(function: Callable[..., T], args: tuple[object, ...]) -> T:
    return function(*args)
