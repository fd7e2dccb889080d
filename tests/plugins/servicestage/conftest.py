"""ServiceStage's simulator on loopback, and a provider connected to it."""

from plugins.servicestage import ServiceStage
from plugins.servicestage.simulator import Simulator
from tests.plugins.fixtures import huawei_cloud_fixture, simulator_fixture

simulator = simulator_fixture(Simulator)
servicestage = huawei_cloud_fixture(ServiceStage)
