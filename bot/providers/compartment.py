"""A compartment: the thread, with an event loop of its own, in which a stranger's plugin runs."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future
from functools import partial
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

HELD_SECONDS = 5.0  # a compartment may stand still until it counts as held, and as long again
CALL_SECONDS = 0.2  # everybody waits for a synchronous method of a plugin's
TURN_SECONDS = 0.1  # a free loop takes far less to turn
CLOSE_SECONDS = 2.0  # its thread is waited for at the end

T = TypeVar("T")


class HeldError(Exception):
    """The plugin's code does not let its own loop turn."""


class Compartment:
    """Runs one plugin's code beside the bot's loop; its thread starts with the first call.

    Code that blocks holds up nothing else. Whoever waits for it gives up, and until the loop turns
    again everybody else is told at once that it is held.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._thread: Thread | None = None
        self._opened: Future[asyncio.AbstractEventLoop] = Future()
        self._endings: list[Callable[[], Awaitable[None]]] = []
        self._asked_at: float | None = None  # when the loop was asked to turn, until it does

    @property
    def held(self) -> bool:
        """Whether the loop was asked to turn, and has not done so."""
        asked_at = self._asked_at
        return asked_at is not None and monotonic() - asked_at > TURN_SECONDS

    async def run(self, ask: Callable[[], Awaitable[T]], seconds: float) -> T:
        """Return what is answered in here; raises TimeoutError, or HeldError if it is held."""
        answer = asyncio.wrap_future(self._begin(ask))
        try:
            async with asyncio.timeout(seconds):
                while not (await asyncio.wait({answer}, timeout=HELD_SECONDS))[0]:
                    self._admit()
                    self._ask_to_turn()
        finally:
            self._give_up(answer)
        if answer.cancelled():
            raise RuntimeError("the plugin cancelled itself")
        return answer.result()

    def call(self, hook: Callable[..., T], *given: object) -> T:
        """Return what a synchronous function returns in here; the caller waits, but not long.

        Raises TimeoutError, and until the loop turns again HeldError at once.
        """
        answer = self._begin(partial(_called, hook, given))
        try:
            return answer.result(CALL_SECONDS)
        finally:
            self._give_up(answer, waited=CALL_SECONDS)

    def at_end(self, ending: Callable[[], Awaitable[None]]) -> None:
        """Have this done in here when it is closed."""
        self._endings.append(ending)

    async def close(self) -> None:
        """Let the thread end; one that is held ends by itself when it is let go."""
        if self._thread is None:
            return
        loop, thread, self._thread = self._opened.result(), self._thread, None
        loop.call_soon_threadsafe(self._over.set)
        await asyncio.to_thread(thread.join, CLOSE_SECONDS)
        if thread.is_alive():
            log.warning("the plugin %s does not come to an end", self.name)

    def _begin(self, ask: Callable[[], Awaitable[T]]) -> Future[T]:
        self._admit()
        return asyncio.run_coroutine_threadsafe(_asked(ask), self._loop())

    def _give_up(self, answer: Future[Any] | asyncio.Future[Any], waited: float = 0.0) -> None:
        """Leave what has no answer; `waited`: the seconds for which the loop did not turn."""
        if not answer.done():
            answer.cancel()
            self._ask_to_turn(waited)

    def _admit(self) -> None:
        if self.held:
            raise HeldError(self.name)

    def _ask_to_turn(self, waited: float = 0.0) -> None:
        if self._asked_at is None:
            self._asked_at = monotonic() - waited
            self._loop().call_soon_threadsafe(self._turned)

    def _turned(self) -> None:
        self._asked_at = None

    def _loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop; a thread needs no millisecond to begin, and runs nothing of theirs."""
        if self._thread is None:
            self._opened = Future()
            # A daemon: a plugin that never comes back does not keep the program from ending.
            self._thread = Thread(target=self._live, name=f"plugin {self.name}", daemon=True)
            self._thread.start()
        return self._opened.result()

    def _live(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._over = asyncio.Event()
        self._opened.set_result(asyncio.get_running_loop())
        await self._over.wait()
        for ending in self._endings:
            await ending()


async def _asked(ask: Callable[[], Awaitable[T]]) -> T:
    try:
        return await ask()
    except (SystemExit, KeyboardInterrupt) as error:  # these would end the thread
        raise RuntimeError(f"the plugin raised {type(error).__name__}") from error


async def _called(hook: Callable[..., T], given: tuple[object, ...]) -> T:
    return hook(*given)


def call(compartment: Compartment | None, hook: Callable[..., T], *given: Any) -> T:
    """Return what a synchronous method of a provider's returns, called where its code runs."""
    ours = hook.__module__ == "bot.providers.provider"  # it was not overridden
    if compartment is None or ours:
        return hook(*given)
    return compartment.call(hook, *given)
