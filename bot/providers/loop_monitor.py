"""Measures how long a coroutine blocks the event loop."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator


class MonitoredCoroutine:
    """Awaits a coroutine and records its longest step in seconds.

    A step is the code between two awaits; it blocks every other task. Only the code that drives
    the coroutine can measure its steps.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._coroutine = coroutine
        self.longest_step = 0.0

    def __await__(self) -> Generator[Any, Any, Any]:
        """Drive the coroutine as `await` would."""
        steps = self._coroutine.__await__()
        value, error = None, None
        while True:
            started = monotonic()
            try:
                awaited = steps.send(value) if error is None else steps.throw(error)
            except StopIteration as end:
                return end.value
            finally:
                self.longest_step = max(self.longest_step, monotonic() - started)
            try:
                value, error = (yield awaited), None
            except BaseException as thrown:  # noqa: BLE001  passed on at once, as `await` does
                value, error = None, thrown
