"""How long strangers' code holds the event loop: a coroutine that is watched at each step."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator


class Watched:
    """Awaits a coroutine and remembers its longest step, in seconds.

    Between two of its awaits a coroutine has the loop to itself; a step that lasts holds up
    everybody. Which coroutine that was, nobody but its own driver can tell.
    """

    def __init__(self, work: Coroutine[Any, Any, Any]) -> None:
        self._work = work
        self.longest_step = 0.0

    def __await__(self) -> Generator[Any, Any, Any]:
        """Drive the coroutine as `await` would."""
        steps = self._work.__await__()
        reply, error = None, None
        while True:
            started = monotonic()
            try:
                wish = steps.send(reply) if error is None else steps.throw(error)
            except StopIteration as end:
                return end.value
            finally:
                self.longest_step = max(self.longest_step, monotonic() - started)
            try:
                reply, error = (yield wish), None
            except BaseException as thrown:  # noqa: BLE001  handed on at once, as `await` does
                reply, error = None, thrown
