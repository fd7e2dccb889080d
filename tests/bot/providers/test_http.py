"""One HTTP recipe: a checked model or an error of ours, whatever a server does."""

from __future__ import annotations

import asyncio
import logging
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from aiohttp import web
from pydantic import BaseModel

from bot.errors import (
    AccessDenied,
    AnswerNotUnderstood,
    CredentialsRefused,
    JobNotFound,
    RateLimited,
    Unavailable,
)
from bot.providers import http
from bot.providers.http import Http
from bot.providers.provider import Endpoint
from bot.testing import Fault, Faults, ManualClock, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio


class Answer(BaseModel):
    """What the API gives."""

    name: str


class Api:
    """A server that answers as told, and a client for it."""

    def __init__(self, faults: Faults, url: str) -> None:
        self.faults = faults
        self.url = url
        self.http = Http("deploys", Endpoint(url, timeout_seconds=5))

    async def fails(self, fault: Fault, error: type[Exception], **options: Any) -> Any:
        """Answer with this fault, and return the error that comes of it."""
        self.faults.plan(fault)
        with pytest.raises(error) as caught:
            await self.http.get("/job", Answer, **options)
        return caught.value


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    app = web.Application()

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"name": request.method})

    app.router.add_route("*", "/{path:.*}", answer)
    faults = Faults.of(app, ManualClock())
    async with serve(app) as url:
        made = Api(faults, url)
        yield made
        await made.http.close()


async def test_an_answer_comes_as_a_checked_model(api: Api) -> None:
    """Whoever calls gets values, not JSON."""
    assert await api.http.get("/job", Answer) == Answer(name="GET")
    assert await api.http.post("/job", Answer, json={}) == Answer(name="POST")


async def test_a_url_is_sent_as_it_was_built(api: Api) -> None:
    """A signature covers the escapes, so nothing may be tidied on the way."""
    await api.http.get("/jobs/a%2Cb%2Fc", Answer, params={"q": "a,b"})
    assert api.faults.calls[-1].path == "/jobs/a%2Cb%2Fc?q=a%2Cb"


async def test_headers_of_the_endpoint_and_of_the_call_are_sent(api: Api) -> None:
    """Both reach the server, the call's own last."""
    both = Http("x", Endpoint(api.url, headers={"X-One": "1", "X-Two": "1"}))
    await both.get("/", Answer, headers={"X-Two": "2"})
    await both.close()
    sent = {name.lower(): value for name, value in api.faults.calls[-1].headers.items()}
    assert (sent["x-one"], sent["x-two"]) == ("1", "2")


async def test_a_call_may_sign_itself_otherwise(api: Api) -> None:
    """The way to sign in of one call replaces the endpoint's."""
    usual = Http("x", Endpoint(api.url, auth=httpx.BasicAuth("usual", "u")))
    await usual.get("/", Answer)
    await usual.get("/", Answer, auth=httpx.BasicAuth("other", "o"))
    await usual.close()
    first, second = [call.headers["Authorization"] for call in api.faults.calls]
    assert first != second


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (302, AnswerNotUnderstood),
        (400, AnswerNotUnderstood),
        (401, CredentialsRefused),
        (403, AccessDenied),
        (404, JobNotFound),
        (429, RateLimited),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
async def test_each_status_is_an_error_by_its_meaning(
    status: int, error: type[Exception], api: Api
) -> None:
    """And its sentence names the connection."""
    assert "deploys" in str(await api.fails(Fault(status), error))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0", 1.0), ("99999", 3600.0), ("soon", 30.0), ("²", 30.0), ("-5", 30.0)],
)
async def test_a_busy_server_says_how_long_to_wait(header: str, seconds: float) -> None:
    """Whatever it says, the wait is sensible."""
    response = httpx.Response(429, headers={"Retry-After": header.encode("latin-1")})
    assert http.retry_after(response) == seconds
    assert http.retry_after(httpx.Response(429)) == 30.0


async def test_an_api_may_explain_its_answers_better(api: Api) -> None:
    """Also an answer whose status says that all is well."""

    def explain(response: httpx.Response) -> JobNotFound | None:
        return JobNotFound("Gone.") if b"gone" in response.content else None

    assert "Gone." in str(await api.fails(Fault(200, "gone"), JobNotFound, explain=explain))
    await api.fails(Fault(401, "other"), CredentialsRefused, explain=explain)


@pytest.mark.parametrize("body", ["", "no json", "[]", {"name": 7}, {}, b'{"name": "\\udc00"}'])
async def test_an_answer_of_another_form_is_not_understood(
    body: Any, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says where it differs, and not what it holds."""
    with caplog.at_level(logging.WARNING):
        await api.fails(Fault(200, body), AnswerNotUnderstood)
    assert "answer of deploys" in caplog.text


async def test_what_was_not_understood_is_not_shown(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """An answer may repeat a secret: it is neither in the error, nor beneath it, nor in the log."""
    error = await api.fails(Fault(200, {"name": ["sEcReT"]}), AnswerNotUnderstood)
    assert "sEcReT" not in f"{error}{error!r}{error.__cause__}{caplog.text}"


async def test_an_answer_that_is_too_long_is_not_read_to_its_end(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody fills our memory."""
    monkeypatch.setattr(http, "LARGEST_ANSWER", 100)
    assert "too long" in str(await api.fails(Fault(200, "x" * 101), AnswerNotUnderstood))


async def test_an_answer_that_breaks_off_is_no_answer(api: Api) -> None:
    """Half a job is none."""
    await api.fails(Fault(200, '{"name": "x"}', cut=True), Unavailable)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_an_answer_that_cannot_be_unpacked_is_an_error_of_ours(
    encoding: str, api: Api
) -> None:
    """A header that lies about the body is the server's fault."""
    await api.fails(
        Fault(200, "not packed at all", {"Content-Encoding": encoding}),
        (Unavailable, AnswerNotUnderstood),
    )


async def test_a_server_that_does_not_answer_in_time_is_down(api: Api) -> None:
    """The wait has an end."""
    slow = Http("deploys", Endpoint(api.url, timeout_seconds=0.05))
    api.faults.plan(Fault(hangs=True))
    with pytest.raises(Unavailable, match="did not answer in time"):
        await slow.get("/job", Answer)
    await slow.close()


async def test_a_server_that_is_not_there_is_down() -> None:
    """A refused connection is a sentence too."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    nobody = Http("deploys", Endpoint(f"http://127.0.0.1:{port}"))
    with pytest.raises(Unavailable, match="cannot be reached"):
        await nobody.get("/job", Answer)
    await nobody.close()


async def test_no_more_calls_are_under_way_than_the_endpoint_allows(api: Api) -> None:
    """The provider sets how many it bears."""
    endpoint = replace(Endpoint(api.url), concurrency=2)
    narrow = Http("deploys", endpoint)
    api.faults.plan(Fault(hangs=True), times=None)
    calls = [asyncio.ensure_future(narrow.get("/job", Answer)) for _ in range(5)]
    while len(api.faults.calls) < 2:  # noqa: ASYNC110  the calls are on their way
        await asyncio.sleep(0)
    for _ in range(50):
        await asyncio.sleep(0)
    assert len(api.faults.calls) == 2
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    await narrow.close()


async def test_a_connection_is_kept_for_the_next_call(api: Api) -> None:
    """A new handshake for each look would be slow."""
    for _ in range(3):
        await api.http.get("/job", Answer)
    pool = api.http._wire._opened().connector
    assert sum(len(kept) for kept in pool._conns.values()) == 1


async def test_cookies_are_not_kept(api: Api) -> None:
    """A gateway's cookie must not follow another connection's call."""
    api.faults.plan(Fault(200, {"name": "x"}, {"Set-Cookie": "a=1"}))
    await api.http.get("/job", Answer)
    await api.http.get("/job", Answer)
    assert "cookie" not in {name.lower() for name in api.faults.calls[-1].headers}


async def test_a_client_that_was_never_used_can_be_closed() -> None:
    """A connection that nobody asked for costs nothing to end."""
    await Http("deploys", Endpoint("http://127.0.0.1:1")).close()
