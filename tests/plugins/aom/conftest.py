"""AOM's simulator on loopback, and a provider connected to it."""

import pytest

from bot.sdk.testing import ManualClock
from plugins.aom import Aom
from plugins.aom.simulator import Simulator
from tests.plugins.fixtures import huawei_cloud_fixture

aom = huawei_cloud_fixture(Aom)


@pytest.fixture
def simulator(clock: ManualClock) -> Simulator:
    return Simulator(clock)
