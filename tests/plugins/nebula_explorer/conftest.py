"""Explorer's simulator on loopback, and a provider connected to it."""

from typing import Any

import pytest

from plugins.nebula_explorer import NebulaExplorer
from plugins.nebula_explorer.simulator import SIMULATOR, simulation
from tests.plugins.fixtures import Simulated, simulated_fixture

simulated = simulated_fixture(NebulaExplorer, simulation, SIMULATOR)


@pytest.fixture
def simulator(simulated: Simulated) -> Any:
    return simulated.simulator


@pytest.fixture
def explorer(simulated: Simulated) -> Any:
    return simulated.provider
