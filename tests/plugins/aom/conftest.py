"""AOM's simulator on loopback, and a provider connected to it."""

from plugins.aom import Aom
from plugins.aom.simulator import Simulator
from tests.plugins.fixtures import huawei_cloud_fixture, simulator_fixture

simulator = simulator_fixture(Simulator)
aom = huawei_cloud_fixture(Aom)
