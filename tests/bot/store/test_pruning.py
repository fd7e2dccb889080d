"""Pruning of rows that ended long ago."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.sdk.testing import ManualClock
from bot.store.pruning import PERIOD_SECONDS, Pruner

if TYPE_CHECKING:
    from bot.store import Store
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


async def test_requests_are_pruned_after_the_configured_days(store: Store, given: Given) -> None:
    """The row is kept until then, and the next run is an hour later."""
    clock = ManualClock(given.now)
    pruner = Pruner(store, clock, keep_days=2)
    id_ = await given.request(store, "answered")
    async with store.begin() as tx:
        await tx.inbox.close(id_ or 0, given.now)
    await clock.advance(timedelta(days=2).total_seconds())
    assert await pruner.tick() == PERIOD_SECONDS
    assert await given.request(store, "answered") is None
    await clock.advance(1)
    await pruner.tick()
    assert await given.request(store, "answered") is not None
