"""Cloud Phone Host's simulator on loopback, and a provider connected to it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.sdk.provider import Provider
from bot.sdk.testing import ManualClock, connected, serve
from plugins.cph import Cph
from plugins.cph.simulator import Simulator


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def simulator(clock: ManualClock) -> Simulator:
    return Simulator(clock)


@pytest.fixture
async def cph(simulator: Simulator, clock: ManualClock) -> AsyncIterator[Provider[Any]]:
    keys = simulator.gateway.tenant.key_settings()
    async with (
        serve(simulator.app) as url,
        connected(Cph, {"endpoint": url, **keys}, clock) as provider,
    ):
        yield provider
