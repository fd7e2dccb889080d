"""The schedulers that the suite runs against, one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.scheduler import LocalScheduler
from bot.sdk.testing import ManualClock

if TYPE_CHECKING:
    from bot.scheduler import Scheduler

SCHEDULERS = {"embedded": lambda clock, grace: LocalScheduler(clock, grace_seconds=grace)}


@pytest.fixture
def clock() -> ManualClock:
    """A manual clock."""
    return ManualClock()


@pytest.fixture(params=SCHEDULERS)
def scheduler(request: pytest.FixtureRequest, clock: ManualClock) -> Scheduler:
    """A scheduler with a grace period longer than any test."""
    return SCHEDULERS[request.param](clock, 60.0)


@pytest.fixture(params=SCHEDULERS)
def scheduler_without_grace(request: pytest.FixtureRequest, clock: ManualClock) -> Scheduler:
    """A scheduler without a grace period."""
    return SCHEDULERS[request.param](clock, 0.0)
