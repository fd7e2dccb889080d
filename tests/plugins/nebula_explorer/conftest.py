"""Explorer's simulator on loopback, and a provider connected to it."""

from plugins.nebula_explorer import NebulaExplorer
from plugins.nebula_explorer.simulator import SIMULATOR, simulation
from tests.plugins.fixtures import simulated_fixtures

simulated, simulator, explorer = simulated_fixtures(NebulaExplorer, simulation, SIMULATOR)
