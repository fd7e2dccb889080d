"""Huawei Cloud's official SDKs and the bot against the same simulators.

The SDKs are independent of this code, so agreement rules out a shared misreading of the API.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from bot.sdk.clock import SystemClock
from bot.sdk.models import Job, JobRef
from bot.sdk.testing import connected, serve
from plugins.aom import Aom
from plugins.aom.simulator import Simulator as AomSimulator
from plugins.cph import Cph
from plugins.cph.simulator import Simulator as CphSimulator
from plugins.servicestage import ServiceStage
from plugins.servicestage.simulator import Simulator as ServiceStageSimulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from bot.sdk.provider import Provider


class Sdk:
    """The SDKs' modules. Importing them writes a file to the home folder, so it is redirected."""

    def __init__(self) -> None:
        self.aom: Any = import_module("huaweicloudsdkaom.v1")
        self.cph: Any = import_module("huaweicloudsdkcph.v1")
        self.iam: Any = import_module("huaweicloudsdkiam.v3")
        self.servicestage: Any = import_module("huaweicloudsdkservicestage.v3")
        self.credentials: Any = import_module("huaweicloudsdkcore.auth.credentials")
        self.errors: Any = import_module("huaweicloudsdkcore.exceptions.exceptions")
        self.request: Any = import_module("huaweicloudsdkcore.sdk_request").SdkRequest
        self.signer: Any = import_module("huaweicloudsdkcore.signer.signer").Signer

    def client(self, kind: Any, simulator: Any, url: str, secret: str = "") -> Any:
        """Return a client of the SDK that is connected to the simulator."""
        tenant = simulator.gateway.tenant
        credentials = self.credentials.BasicCredentials(
            tenant.access_key, secret or tenant.secret_key, tenant.project_id
        )
        return kind.new_builder().with_credentials(credentials).with_endpoint(url).build()


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sdk]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield Sdk()


class Pair:
    """The SDK's client and the bot's provider, connected to the same simulator."""

    def __init__(self, client: Any, provider: Provider[Any], simulator: Any) -> None:
        self._client = client
        self._provider = provider
        self.simulator = simulator

    async def sdk(self, method: str, request: Any) -> Any:
        """Call the SDK, which blocks, in a thread."""
        return await asyncio.to_thread(getattr(self._client, method), request)

    async def bot(self, id_: str) -> Job:
        """Fetch a job with the bot's provider."""
        return await self._provider.fetch_job(JobRef(connection="acme", id=id_))

    async def recent(self) -> Any:
        """Fetch the newest jobs with the bot's provider."""
        return await self._provider.recent_jobs(10)  # type: ignore[attr-defined]

    @property
    def paths(self) -> list[str]:
        """The paths that both have requested."""
        return [call.path for call in self.simulator.calls]


@asynccontextmanager
async def pair(
    sdk: Sdk, client: Any, provider: type[Provider[Any]], simulator: Any, secret: str = ""
) -> AsyncIterator[Pair]:
    """Serve the simulator and connect both to it, with the right or a wrong secret."""
    keys = simulator.gateway.tenant.key_settings() | ({"secret_key": secret} if secret else {})
    async with serve(simulator.app) as url:
        asker = sdk.client(client, simulator, url, secret)
        async with connected(provider, {"endpoint": url, **keys}, SystemClock()) as bot:
            yield Pair(asker, bot, simulator)
        asker.close()


@pytest.fixture
async def cph(sdk: Sdk) -> AsyncIterator[Pair]:
    async with pair(sdk, sdk.cph.CphClient, Cph, CphSimulator(SystemClock())) as both:
        yield both


@pytest.fixture
async def aom(sdk: Sdk) -> AsyncIterator[Pair]:
    async with pair(sdk, sdk.aom.AomClient, Aom, AomSimulator(SystemClock())) as both:
        yield both


@pytest.fixture
async def cph_with_a_wrong_secret(sdk: Sdk) -> AsyncIterator[Pair]:
    simulator = CphSimulator(SystemClock())
    async with pair(sdk, sdk.cph.CphClient, Cph, simulator, secret="wrong") as both:
        yield both


@pytest.fixture
async def servicestage(sdk: Sdk) -> AsyncIterator[Pair]:
    client, simulator = sdk.servicestage.ServiceStageClient, ServiceStageSimulator(SystemClock())
    async with pair(sdk, client, ServiceStage, simulator) as both:
        yield both
