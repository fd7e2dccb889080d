"""Scheduler protocol: ticks each shard repeatedly, on one live replica at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

Tick = Callable[[str], Awaitable[float]]
"""One quantum of a shard's work; returns the seconds until the shard's next tick."""


class Scheduler(Protocol):
    """Guarantees liveness only: ticks must be safe to repeat."""

    def ensure(self, shards: Iterable[str]) -> None:
        """Tick these shards, too; may be called repeatedly, before and during `run`."""
        ...

    async def run(self, handler: Tick, concurrency: int) -> None:
        """Tick until `stop`: one tick at a time per shard, at most `concurrency` in all.

        A tick that raises is logged and retried with backoff.
        """
        ...

    async def stop(self) -> None:
        """Start no more ticks, give running ones a few seconds, and end `run`."""
        ...


__all__ = ["Scheduler", "Tick"]
