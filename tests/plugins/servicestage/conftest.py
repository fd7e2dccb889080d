"""ServiceStage's simulator on loopback, and a provider connected to it."""

from typing import Any

import pytest

from bot.sdk.provider import Provider
from bot.sdk.testing import ManualClock
from plugins.servicestage import ServiceStage
from plugins.servicestage.simulator import Simulator
from tests.plugins.fixtures import huawei_cloud_fixture

servicestage = huawei_cloud_fixture(ServiceStage)


@pytest.fixture
def simulator(clock: ManualClock) -> Simulator:
    return Simulator(clock)


@pytest.fixture
def provider(servicestage: Provider[Any]) -> Provider[Any]:
    return servicestage
