"""Simulators that misbehave on request."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from aiohttp import web

from bot.testing import Fault, Faults, ManualClock, serve

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


async def test_without_a_fault_the_app_answers(client: httpx.AsyncClient) -> None:
    """The layer is not felt until it is asked to misbehave."""
    assert (await client.get("/")).text == "hello"


async def test_a_planned_fault_meets_as_many_calls_as_planned(
    client: httpx.AsyncClient, faults: Faults
) -> None:
    """After them the app answers again."""
    faults.plan(Fault(503, {"sorry": True}, {"Retry-After": "3"}), times=2)
    answers = [await client.get("/") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].json() == {"sorry": True}
    assert answers[0].headers["Retry-After"] == "3"


async def test_a_lasting_fault_ends_when_it_is_cleared(
    client: httpx.AsyncClient, faults: Faults
) -> None:
    """Trouble may last until somebody ends it."""
    faults.plan(Fault(500), times=None)
    assert [(await client.get("/")).status_code for _ in range(3)] == [500] * 3
    faults.clear()
    assert (await client.get("/")).status_code == 200


async def test_a_slow_answer_waits_for_the_clock(
    client: httpx.AsyncClient, faults: Faults, clock: ManualClock
) -> None:
    """Slowness is told in seconds of the test's clock, so nobody waits."""
    faults.plan(Fault(after_seconds=30))
    answer = asyncio.ensure_future(client.get("/"))
    while not clock.sleepers:  # noqa: ASYNC110  the call is on its way
        await asyncio.sleep(0)
    assert not answer.done()
    await clock.advance(30)
    assert (await answer).text == "hello"


async def test_a_cut_answer_promises_more_than_it_sends(
    client: httpx.AsyncClient, faults: Faults
) -> None:
    """The caller finds out in the middle of the body."""
    faults.plan(Fault(body="0123456789", cut=True))
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get("/")


async def test_a_call_that_hangs_ends_with_its_caller(
    client: httpx.AsyncClient, faults: Faults
) -> None:
    """Nothing is left running when the caller gives up."""
    faults.plan(Fault(hangs=True))
    with pytest.raises(httpx.ReadTimeout):
        await client.get("/", timeout=0.05)


async def test_every_call_is_remembered_as_it_came(
    client: httpx.AsyncClient, faults: Faults
) -> None:
    """Raw paths, headers and bodies can be looked at afterwards."""
    await client.post("/a%2Cb?x=%20", content=b"body", headers={"X-Mine": "1"})
    (call,) = faults.calls
    assert (call.method, call.path, call.body) == ("POST", "/a%2Cb?x=%20", b"body")
    assert call.headers["X-Mine"] == "1"


async def test_an_app_has_one_layer_of_faults(
    app: web.Application, faults: Faults, clock: ManualClock
) -> None:
    """Whoever asks for an app's faults gets the same ones."""
    assert Faults.of(app, clock) is faults
