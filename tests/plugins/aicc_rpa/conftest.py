"""AICC RPA's simulator on loopback, and a provider connected to it."""

from plugins.aicc_rpa import AiccRpa
from plugins.aicc_rpa.simulator import SIMULATOR, simulation
from tests.plugins.fixtures import simulated_fixtures

simulated, simulator, rpa = simulated_fixtures(AiccRpa, simulation, SIMULATOR)
