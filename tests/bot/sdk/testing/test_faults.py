"""Fault injection for simulators."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from aiohttp import web

from bot.sdk.testing import Fault, Faults, ManualClock, serve

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def app() -> web.Application:
    app = web.Application()

    async def hello(request: web.Request) -> web.Response:
        del request
        return web.Response(text="hello")

    app.router.add_route("*", "/{path:.*}", hello)
    return app


@pytest.fixture
def faults(app: web.Application, clock: ManualClock) -> Faults:
    return Faults.of(app, clock)


@pytest.fixture
async def client(app: web.Application, faults: Faults) -> AsyncIterator[httpx.AsyncClient]:
    assert not faults.calls
    async with serve(app) as url, httpx.AsyncClient(base_url=url) as client:
        yield client


async def test_app_responds_without_a_fault(client: httpx.AsyncClient) -> None:
    """The middleware changes nothing by default."""
    assert (await client.get("/")).text == "hello"


async def test_planned_fault_affects_the_planned_number_of_calls(
    client: httpx.AsyncClient, faults: Faults
) -> None:
    """After them the app responds again."""
    faults.plan(Fault(503, {"sorry": True}, {"Retry-After": "3"}), times=2)
    responses = [await client.get("/") for _ in range(3)]
    assert [response.status_code for response in responses] == [503, 503, 200]
    assert responses[0].json() == {"sorry": True}
    assert responses[0].headers["Retry-After"] == "3"


async def test_permanent_fault_lasts_until_it_is_cleared(
    client: httpx.AsyncClient, faults: Faults
) -> None:
    """It affects every call."""
    faults.plan(Fault(500), times=None)
    assert [(await client.get("/")).status_code for _ in range(3)] == [500] * 3
    faults.clear()
    assert (await client.get("/")).status_code == 200


async def test_delayed_response_waits_for_the_manual_clock(
    client: httpx.AsyncClient, faults: Faults, clock: ManualClock
) -> None:
    """The delay takes no real time."""
    faults.plan(Fault(after_seconds=30))
    response = asyncio.ensure_future(client.get("/"))
    while not clock.sleepers:  # noqa: ASYNC110  no event to wait for
        await asyncio.sleep(0)
    assert not response.done()
    await clock.advance(30)
    assert (await response).text == "hello"


async def test_truncated_response_is_shorter_than_its_length_header(
    client: httpx.AsyncClient, faults: Faults
) -> None:
    """The client fails while it reads the body."""
    faults.plan(Fault(body="0123456789", truncated=True))
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get("/")


async def test_hanging_call_ends_when_the_client_disconnects(
    client: httpx.AsyncClient, faults: Faults
) -> None:
    """No task is left running."""
    faults.plan(Fault(hangs=True))
    with pytest.raises(httpx.ReadTimeout):
        await client.get("/", timeout=0.05)


async def test_every_call_is_recorded_unchanged(client: httpx.AsyncClient, faults: Faults) -> None:
    """With raw path, headers and body."""
    await client.post("/a%2Cb?x=%20", content=b"body", headers={"X-Mine": "1"})
    (call,) = faults.calls
    assert (call.method, call.path, call.body) == ("POST", "/a%2Cb?x=%20", b"body")
    assert call.headers["X-Mine"] == "1"


async def test_app_has_one_fault_middleware(
    app: web.Application, faults: Faults, clock: ManualClock
) -> None:
    """A second call returns the same one."""
    assert Faults.of(app, clock) is faults
