"""Who gives the ticks: a shard is ticked again and again, by one live replica at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

Tick = Callable[[str], Awaitable[float]]
"""One quantum of a shard's work; it returns the seconds until the shard's next tick."""


class Engine(Protocol):
    """Gives liveness and nothing else: a tick may come twice, and must bear it."""

    def ensure(self, shards: Iterable[str]) -> None:
        """See that these shards are ticked, besides those that are; at any time, any number."""
        ...

    async def run(self, handler: Tick, concurrency: int) -> None:
        """Tick until `stop`: each shard once at a time, and at most `concurrency` at once.

        A tick that raises is logged, and its shard is ticked again after a back-off.
        """
        ...

    async def stop(self) -> None:
        """Begin no tick any more, give those under way a few seconds, and end `run`."""
        ...


__all__ = ["Engine", "Tick"]
