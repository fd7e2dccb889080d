"""Fixtures for the tests of all plugins."""

import pytest

from bot.sdk.testing import ManualClock
from tests.plugins.fixtures import Fetch, Simulated


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def fetch(simulated: Simulated) -> Fetch:
    return simulated.fetch
