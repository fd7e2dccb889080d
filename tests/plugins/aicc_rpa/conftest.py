"""AICC RPA's simulator on loopback, and a provider connected to it."""

from typing import Any

import pytest

from plugins.aicc_rpa import AiccRpa
from plugins.aicc_rpa.simulator import SIMULATOR, simulation
from tests.plugins.fixtures import Simulated, simulated_fixture

simulated = simulated_fixture(AiccRpa, simulation, SIMULATOR)


@pytest.fixture
def simulator(simulated: Simulated) -> Any:
    return simulated.simulator


@pytest.fixture
def rpa(simulated: Simulated) -> Any:
    return simulated.provider
