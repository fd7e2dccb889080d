"""AOM's simulator on loopback, and a provider connected to it."""

from typing import Any

import pytest

from bot.sdk.provider import Provider
from bot.sdk.testing import ManualClock
from plugins.aom import Aom
from plugins.aom.simulator import Simulator
from tests.plugins.fixtures import huawei_cloud_fixture

aom = huawei_cloud_fixture(Aom)


@pytest.fixture
def simulator(clock: ManualClock) -> Simulator:
    return Simulator(clock)


@pytest.fixture
def provider(aom: Provider[Any]) -> Provider[Any]:
    return aom
