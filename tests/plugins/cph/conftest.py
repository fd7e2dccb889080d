"""Cloud Phone Host's simulator on loopback, and a provider connected to it."""

from plugins.cph import Cph
from plugins.cph.simulator import Simulator
from tests.plugins.fixtures import huawei_cloud_fixture, simulator_fixture

simulator = simulator_fixture(Simulator)
cph = huawei_cloud_fixture(Cph)
