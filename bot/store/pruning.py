"""Pruning: deletes rows that ended long ago."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.sdk.clock import Clock
    from bot.store.store import Store

PERIOD_SECONDS = 3600.0


@dataclass(frozen=True)
class Pruner:
    """Deletes, once an hour, the rows that ended longer than `keep_days` ago."""

    store: Store
    clock: Clock
    keep_days: int

    async def tick(self) -> float:
        """Delete the rows of every table in one transaction; return the seconds until the next."""
        before = self.clock.now() - timedelta(days=self.keep_days)
        async with self.store.begin() as tx:
            await tx.inbox.prune(before)
            await tx.outbox.prune(before)
            await tx.watches.prune(before)
            await tx.jobs.prune(before)
            await tx.decisions.prune(before)
            await tx.boards.prune(before)
        return PERIOD_SECONDS
