"""The engines that the contract is held against: one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.engine.embedded import EmbeddedEngine
from bot.testing import ManualClock

if TYPE_CHECKING:
    from bot.engine import Engine

ENGINES = {"embedded": lambda clock, grace: EmbeddedEngine(clock, grace=grace)}


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still until it is turned."""
    return ManualClock()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, clock: ManualClock) -> Engine:
    """An engine that gives ticks under way all the time that a test takes."""
    return ENGINES[request.param](clock, 60.0)


@pytest.fixture(params=ENGINES)
def hasty(request: pytest.FixtureRequest, clock: ManualClock) -> Engine:
    """An engine that gives ticks under way no time at all at its end."""
    return ENGINES[request.param](clock, 0.0)
