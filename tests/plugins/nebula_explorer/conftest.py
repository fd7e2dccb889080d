"""Explorer's simulator on loopback, and a provider connected to it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.sdk.provider import Provider
from bot.sdk.testing import ManualClock, connected, serve
from plugins.nebula_explorer import NebulaExplorer
from plugins.nebula_explorer.simulator import SIMULATOR, Simulator, simulation


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def world(clock: ManualClock) -> AsyncIterator[tuple[Simulator, Provider[Any]]]:
    whole = simulation(clock)
    async with (
        serve(whole.app) as url,
        connected(NebulaExplorer, whole.settings(url), clock) as provider,
    ):
        yield whole.app[SIMULATOR], provider


@pytest.fixture
def simulator(world: Any) -> Any:
    return world[0]


@pytest.fixture
def explorer(world: Any) -> Any:
    return world[1]
