"""The simulated gateway on loopback, and calls to it through the bot's HTTP client."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import httpx
import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.sdk import Endpoint
from bot.sdk.http import Http
from bot.sdk.testing import Faults, ManualClock, serve
from plugins.huaweicloud.signing import Keys, SignedAuth
from plugins.huaweicloud.simulator import SimulatedGateway
from plugins.huaweicloud.tokens import IamUser, TokenAuth


@dataclass
class Gateway:
    """The served gateway, and the values that tests change."""

    url: str
    gate: SimulatedGateway
    faults: Faults
    clock: ManualClock
    connect: Callable[[httpx.Auth], Http]

    def keys(self, secret: str = "", **changes: str) -> Keys:
        """Return the keys that the gateway accepts, or wrong ones."""
        tenant = self.gate.tenant
        fields = {"project_id": tenant.project_id, "access_key": tenant.access_key} | changes
        token = SecretStr(fields.pop("security_token", ""))
        return Keys(
            secret_key=SecretStr(secret or tenant.secret_key), security_token=token, **fields
        )

    def signed(self, secret: str = "") -> Http:
        """Return a client that signs its calls."""
        return self.connect(SignedAuth("acme", self.keys(secret), self.clock))

    def with_tokens(self, password: str = "") -> Http:
        """Return a client that fetches tokens."""
        tenant = self.gate.tenant
        user = IamUser(
            endpoint=self.url,
            domain_name=tenant.domain_name,
            user_name=tenant.user_name,
            password=SecretStr(password or tenant.password),
            project_id=tenant.project_id,
        )
        return self.connect(TokenAuth("acme", user, self.clock))

    @property
    def paths(self) -> list[str]:
        """The raw paths of all calls that arrived."""
        return [call.path for call in self.faults.calls]


async def _hello(request: web.Request) -> web.Response:
    return web.json_response({"path": request.raw_path})


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    clock, app, opened = ManualClock(), web.Application(), list[Http]()
    faults, gate = Faults.of(app, clock), SimulatedGateway(clock)
    gate.install(app)
    app.router.add_route("*", "/v1/{path:.*}", _hello)
    async with serve(app) as url:

        def connect(auth: httpx.Auth) -> Http:
            opened.append(Http("acme", Endpoint(url, auth)))
            return opened[-1]

        yield Gateway(url, gate, faults, clock, connect)
        for http in opened:
            await http.close()
