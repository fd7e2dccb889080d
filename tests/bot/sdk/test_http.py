"""HTTP client for providers: a validated model or a ProviderError for every response."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from aiohttp import web
from pydantic import BaseModel

from bot.sdk import Endpoint, http
from bot.sdk.errors import (
    AccessDenied,
    AnswerNotUnderstood,
    CredentialsRefused,
    JobNotFound,
    RateLimited,
    Unavailable,
)
from bot.sdk.http import Http
from bot.sdk.testing import Fault, Faults, ManualClock, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio


class Answer(BaseModel):
    """Response of the API."""

    name: str


class Api:
    """A server with fault injection, and a client for it."""

    def __init__(self, faults: Faults, url: str) -> None:
        self.faults = faults
        self.url = url
        self.http = Http("deploys", Endpoint(url, timeout_seconds=5))

    async def fails(self, fault: Fault, error: type[Exception], **options: Any) -> Any:
        """Respond with this fault and return the raised error."""
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
        api = Api(faults, url)
        yield api
        await api.http.close()


async def test_response_is_returned_as_a_validated_model(api: Api) -> None:
    """For GET and POST."""
    assert await api.http.get("/job", Answer) == Answer(name="GET")
    assert await api.http.post("/job", Answer, json={}) == Answer(name="POST")


async def test_url_is_sent_unchanged(api: Api) -> None:
    """A signature covers the escapes, so they must not be normalised."""
    await api.http.get("/jobs/a%2Cb%2Fc", Answer, params={"q": "a,b"})
    assert api.faults.calls[-1].path == "/jobs/a%2Cb%2Fc?q=a%2Cb"


async def test_headers_of_endpoint_and_call_are_sent(api: Api) -> None:
    """A header of the call replaces the endpoint's."""
    both = Http("x", Endpoint(api.url, headers={"X-One": "1", "X-Two": "1"}))
    await both.get("/", Answer, headers={"X-Two": "2"})
    await both.close()
    sent = {name.lower(): value for name, value in api.faults.calls[-1].headers.items()}
    assert (sent["x-one"], sent["x-two"]) == ("1", "2")


async def test_auth_of_a_call_replaces_the_endpoints(api: Api) -> None:
    """Only for this call."""
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
async def test_each_error_status_raises_its_error(
    status: int, error: type[Exception], api: Api
) -> None:
    """The message names the connection."""
    assert "deploys" in str(await api.fails(Fault(status), error))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0", 1.0), ("99999", 3600.0), ("soon", 30.0), ("²", 30.0), ("-5", 30.0)],
)
async def test_retry_after_is_limited_and_has_a_default(header: str, seconds: float) -> None:
    """The wait is 1 to 3600 seconds."""
    response = httpx.Response(429, headers={"Retry-After": header.encode("latin-1")})
    assert http.retry_after(response) == seconds
    assert http.retry_after(httpx.Response(429)) == 30.0


async def test_map_error_gets_a_response_of_any_status(api: Api) -> None:
    """Also one of status 200; None leaves the mapping to the status."""

    def explain(response: httpx.Response) -> JobNotFound | None:
        return JobNotFound("Gone.") if b"gone" in response.content else None

    assert "Gone." in str(await api.fails(Fault(200, "gone"), JobNotFound, map_error=explain))
    await api.fails(Fault(401, "other"), CredentialsRefused, map_error=explain)


@pytest.mark.parametrize("body", ["", "no json", "[]", {"name": 7}, {}, b'{"name": "\\udc00"}'])
async def test_invalid_body_is_not_understood(
    body: Any, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has the path of the problem, not the value."""
    with caplog.at_level(logging.WARNING):
        await api.fails(Fault(200, body), AnswerNotUnderstood)
    assert "invalid response of deploys" in caplog.text


async def test_invalid_body_is_not_shown(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """It may repeat a secret: it is not in the error, its cause or the log."""
    error = await api.fails(Fault(200, {"name": ["sEcReT"]}), AnswerNotUnderstood)
    assert "sEcReT" not in f"{error}{error!r}{error.__cause__}{caplog.text}"


async def test_response_above_the_size_limit_is_not_read(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endless response does not fill the memory."""
    monkeypatch.setattr(http, "MAX_RESPONSE_BYTES", 100)
    assert "too long" in str(await api.fails(Fault(200, "x" * 101), AnswerNotUnderstood))


async def test_truncated_response_is_unavailable(api: Api) -> None:
    """It is a transient error."""
    await api.fails(Fault(200, '{"name": "x"}', truncated=True), Unavailable)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_failed_decompression_is_a_provider_error(encoding: str, api: Api) -> None:
    """The body does not match its Content-Encoding."""
    await api.fails(
        Fault(200, "not packed at all", {"Content-Encoding": encoding}),
        (Unavailable, AnswerNotUnderstood),
    )


async def test_timeout_is_unavailable(api: Api) -> None:
    """The message says that the API did not answer in time."""
    slow = Http("deploys", Endpoint(api.url, timeout_seconds=0.05))
    api.faults.plan(Fault(hangs=True))
    with pytest.raises(Unavailable, match="did not answer in time"):
        await slow.get("/job", Answer)
    await slow.close()


async def test_refused_connection_is_unavailable() -> None:
    """The message says that the API cannot be reached."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    client = Http("deploys", Endpoint(f"http://127.0.0.1:{port}"))
    with pytest.raises(Unavailable, match="cannot be reached"):
        await client.get("/job", Answer)
    await client.close()


async def test_concurrent_calls_are_limited(api: Api) -> None:
    """The endpoint sets the limit."""
    endpoint = replace(Endpoint(api.url), concurrency=2)
    limited = Http("deploys", endpoint)
    api.faults.plan(Fault(hangs=True), times=None)
    calls = [asyncio.ensure_future(limited.get("/job", Answer)) for _ in range(5)]
    while len(api.faults.calls) < 2:  # noqa: ASYNC110  the server has no event to wait for
        await asyncio.sleep(0)
    for _ in range(50):
        await asyncio.sleep(0)
    assert len(api.faults.calls) == 2
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    await limited.close()


async def test_tcp_connection_is_reused(api: Api) -> None:
    """A new handshake for each poll would be slow."""
    for _ in range(3):
        await api.http.get("/job", Answer)
    pool = api.http._transport._open_session().connector
    assert sum(len(kept) for kept in pool._conns.values()) == 1


async def test_cookies_are_not_stored(api: Api) -> None:
    """A gateway's cookie must not be sent with a later call."""
    api.faults.plan(Fault(200, {"name": "x"}, {"Set-Cookie": "a=1"}))
    await api.http.get("/job", Answer)
    await api.http.get("/job", Answer)
    assert "cookie" not in {name.lower() for name in api.faults.calls[-1].headers}


async def test_unused_client_can_be_closed() -> None:
    """It never opened a session."""
    await Http("deploys", Endpoint("http://127.0.0.1:1")).close()


async def test_host_can_hold_the_slot_and_see_each_response(api: Api) -> None:
    """Two optional hooks; a plugin needs neither."""
    seen: list[str] = []

    @asynccontextmanager
    async def slot(slots: asyncio.Semaphore) -> AsyncIterator[None]:
        seen.append("waits")
        async with slots:
            yield

    def on_response(response: httpx.Response) -> None:
        seen.append(f"HTTP {response.status_code}")

    client = Http("deploys", Endpoint(api.url), slot=slot, on_response=on_response)
    await client.get("/job", Answer)
    api.faults.plan(Fault(404))
    with pytest.raises(JobNotFound):
        await client.get("/job", Answer)
    await client.close()
    assert seen == ["waits", "HTTP 200", "waits", "HTTP 404"]


async def test_error_has_the_response_that_was_not_understood(api: Api) -> None:
    """The host logs an excerpt of it."""
    invalid = await api.fails(Fault(200, {"title": "x"}), AnswerNotUnderstood)
    assert (invalid.response.status_code, invalid.problems) == (200, "name: missing")
    unexpected = await api.fails(Fault(418), AnswerNotUnderstood)
    assert unexpected.response.status_code == 418
