"""AICC RPA's simulator on loopback, and a provider connected to it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.sdk.provider import Provider
from bot.sdk.testing import ManualClock, connected, serve
from plugins.aicc_rpa import AiccRpa
from plugins.aicc_rpa.simulator import SIMULATOR, Simulator, simulation


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def world(clock: ManualClock) -> AsyncIterator[tuple[Simulator, Provider[Any]]]:
    whole = simulation(clock)
    async with serve(whole.app) as url, connected(AiccRpa, whole.settings(url), clock) as provider:
        yield whole.app[SIMULATOR], provider


@pytest.fixture
def simulator(world: Any) -> Any:
    return world[0]


@pytest.fixture
def rpa(world: Any) -> Any:
    return world[1]
