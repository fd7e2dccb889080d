"""Cloud Phone Host's simulator on loopback, and a provider connected to it."""

import pytest

from bot.sdk.testing import ManualClock
from plugins.cph import Cph
from plugins.cph.simulator import Simulator
from tests.plugins.fixtures import huawei_cloud_fixture

cph = huawei_cloud_fixture(Cph)


@pytest.fixture
def simulator(clock: ManualClock) -> Simulator:
    return Simulator(clock)
