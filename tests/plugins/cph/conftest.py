"""Cloud Phone Host's simulator on loopback, and a provider connected to it."""

from typing import Any

import pytest

from bot.sdk.provider import Provider
from bot.sdk.testing import ManualClock
from plugins.cph import Cph
from plugins.cph.simulator import Simulator
from tests.plugins.fixtures import huawei_cloud_fixture

cph = huawei_cloud_fixture(Cph)


@pytest.fixture
def simulator(clock: ManualClock) -> Simulator:
    return Simulator(clock)


@pytest.fixture
def provider(cph: Provider[Any]) -> Provider[Any]:
    return cph
