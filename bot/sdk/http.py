"""HTTP client for providers: returns a validated model or raises one of the bot's errors."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import httpx
from aiohttp.http_exceptions import ContentEncodingError
from pydantic import BaseModel, ValidationError
from yarl import URL

from bot.sdk.errors import (
    AccessDenied,
    AnswerNotUnderstood,
    CredentialsRefused,
    JobNotFound,
    ProviderError,
    RateLimited,
    Unavailable,
)

log = logging.getLogger(__name__)

MAX_RESPONSE_BYTES = 8 * 1024 * 1024  # bytes
USER_AGENT = "jobthread"
_UNREACHABLE = "cannot be reached"
_TRANSPORT_HEADERS = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})
KEEP_ALIVE_SECONDS = 120.0  # longer than the longest poll interval

T = TypeVar("T", bound=BaseModel)
Slot = Callable[[asyncio.Semaphore], AbstractAsyncContextManager[object]]


@dataclass(frozen=True)
class Endpoint:
    """Address and HTTP options of a connection's API; `Http` is built from it."""

    base_url: str
    auth: httpx.Auth | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    ca_file: str | None = None  # a PEM file; None: the system's certificates
    timeout_seconds: float = 15.0  # to connect, and between two chunks of a response
    concurrency: int = 20  # concurrent calls


class HttpTransport(Protocol):
    """Sends requests to an API and returns its responses."""

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return the complete response; raises aiohttp's errors."""

    async def close(self) -> None:
        """Close the connections."""


class Http:
    """HTTP client of one connection; keeps its TCP connections open between calls.

    Raises AccessDenied, AnswerNotUnderstood, CredentialsRefused, JobNotFound, RateLimited or
    Unavailable, and no exception of httpx or pydantic. `name` is the connection's name in error
    messages; `transport` replaces the network. The host's hooks: `slot` holds one of the call slots
    during a call, and `on_response` gets each response.
    """

    def __init__(
        self,
        name: str,
        endpoint: Endpoint,
        transport: HttpTransport | None = None,
        *,
        slot: Slot | None = None,
        on_response: Callable[[httpx.Response], None] | None = None,
    ) -> None:
        self.name = name
        self._endpoint = endpoint
        self._slots = asyncio.Semaphore(endpoint.concurrency)
        self._base_url = endpoint.base_url.rstrip("/")
        self._headers = {"Accept": "*/*", "User-Agent": USER_AGENT, **endpoint.headers}
        self._auth = endpoint.auth
        self._transport = transport or _AiohttpTransport(endpoint)
        self._slot = slot or _hold
        self._on_response = on_response or _ignore

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def get(self, path: str, model: type[T], **options: Any) -> T:
        """GET a path and return the response body as `model`; options as in `call`."""
        return parse_response(await self.call("GET", path, **options), model, self.name)

    async def post(self, path: str, model: type[T], **options: Any) -> T:
        """POST to a path and return the response body as `model`; options as in `call`."""
        return parse_response(await self.call("POST", path, **options), model, self.name)

    async def call(
        self,
        method: str,
        path: str,
        *,
        map_error: Callable[[httpx.Response], ProviderError | None] | None = None,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        auth: httpx.Auth | None = None,
    ) -> httpx.Response:
        """Send one request and return the complete response; its status is 2xx.

        `map_error` maps a response of any status to the error that it means in this API; if it
        returns None, the HTTP status decides.
        """
        request = self._request(method, path, params, json=json, headers=dict(headers or {}))
        async with self._slot(self._slots):
            response = await self._send(request, auth)
        self._on_response(response)
        mapped = map_error(response) if map_error else None
        error = mapped or error_for_status(response, self.name)
        if error is None:
            return response
        logged_path = path.partition("?")[0]  # a query may hold a key
        log.info("%s %s of %s: HTTP %d", method, logged_path, self.name, response.status_code)
        raise _with_response(error, response)

    def _request(
        self, method: str, path: str, params: Mapping[str, Any] | None, **rest: Any
    ) -> httpx.Request:
        """Build a request from a cached URL; httpx would parse base, path and query each time."""
        query = f"?{_query(params)}" if params else ""
        base_url = "" if path.startswith(("http://", "https://")) else self._base_url
        return httpx.Request(
            method,
            _parse_url(f"{base_url}{path}{query}"),
            **{**rest, "headers": {**self._headers, **rest["headers"]}},
        )

    async def _send(self, request: httpx.Request, auth: httpx.Auth | None) -> httpx.Response:
        try:
            return await _exchange(self._transport, request, auth or self._auth)
        except _ResponseTooLongError:
            raise AnswerNotUnderstood(f"The answer of {self.name} is too long.") from None
        except _DecompressionError as error:
            raise AnswerNotUnderstood(f"The answer of {self.name} cannot be unpacked.") from error
        except (aiohttp.ClientError, OSError) as error:
            reason = "did not answer in time" if isinstance(error, TimeoutError) else _UNREACHABLE
            raise Unavailable(f"{self.name} {reason}.") from error


def _hold(slots: asyncio.Semaphore) -> asyncio.Semaphore:
    return slots


def _ignore(response: httpx.Response) -> None:
    del response


def _with_response(error: ProviderError, response: httpx.Response) -> ProviderError:
    """Attach the response that was not understood, for the host's log."""
    if isinstance(error, AnswerNotUnderstood):
        error.response = response
    return error


@lru_cache(maxsize=4_096)
def _parse_url(url: str) -> httpx.URL:
    """Parse a URL; cached, since each poll of a job uses the same one."""
    return httpx.URL(url)


def _query(params: Mapping[str, Any]) -> str:
    """Encode parameters as httpx does: a list repeats its key, booleans are in lower case."""
    values = {
        key: str(value).lower() if isinstance(value, bool) else "" if value is None else value
        for key, value in params.items()
    }
    return urlencode(values, doseq=True, quote_via=quote)


def error_for_status(response: httpx.Response, name: str) -> ProviderError | None:
    """Return the error for an HTTP status; None for 2xx. APIs with error codes map them first."""
    status = response.status_code
    if status < 300:
        return None
    errors = {
        401: CredentialsRefused(f"{name} does not accept the credentials set for it."),
        403: AccessDenied(f"{name} does not let this bot see the job."),
        404: JobNotFound(f"{name} knows no such job."),
        429: RateLimited(f"{name} is busy.", retry_after=retry_after(response)),
    }
    if status in errors:
        return errors[status]
    if status >= 500:
        return Unavailable(f"{name} is in trouble (HTTP {status}).")
    return AnswerNotUnderstood(f"{name} gave an unexpected answer (HTTP {status}).")


def retry_after(response: httpx.Response, default: float = 30.0) -> float:
    """Return the seconds of a response's Retry-After header, limited to 1 to 3600."""
    text = response.headers.get("Retry-After", "")
    return min(3600.0, max(1.0, float(text))) if text.isdecimal() else default


def parse_response(response: httpx.Response, model: type[T], name: str) -> T:
    """Return a response's JSON body as `model`; raises AnswerNotUnderstood."""
    try:
        return model.model_validate_json(response.content)
    except ValidationError as error:
        problems = validation_problems(error)
    log.warning("invalid response of %s: %s", name, problems)
    # Not raised from pydantic's error: its text holds the response, which may repeat a secret.
    unreadable = AnswerNotUnderstood(f"The answer of {name} was not understood.")
    unreadable.response, unreadable.problems = response, problems
    raise unreadable


def validation_problems(error: ValidationError) -> str:
    """Return path and type of each validation error, without the value: it may be secret."""
    return "; ".join(
        f"{'.'.join(map(str, item['loc'])) or 'body'}: {item['type']}"
        for item in error.errors(include_input=False, include_url=False, include_context=False)
    )


class _ResponseTooLongError(Exception):
    """A response exceeds the size limit."""


class _DecompressionError(Exception):
    """A response body does not match its Content-Encoding."""


async def _exchange(
    transport: HttpTransport, request: httpx.Request, auth: httpx.Auth | None
) -> httpx.Response:
    """Send a request and the further requests of its auth flow; return the last response.

    httpx's client does the same, with cookies, redirects and hooks besides.
    """
    if auth is None:
        return await transport.send(request)
    flow = auth.async_auth_flow(request)
    try:
        request = await anext(flow)
        while True:
            response = await transport.send(request)
            try:
                request = await flow.asend(response)
            except StopAsyncIteration:
                return response
    finally:
        await flow.aclose()


class _AiohttpTransport:
    """Transports httpx's requests over aiohttp: many times the throughput of httpx's own pool.

    URLs are sent unchanged: signatures cover `%2C`, which yarl would decode. Cookies are not
    stored. aiohttp decompresses a response, which is read completely, up to the size limit.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return the complete response; raises aiohttp's errors."""
        async with self._open_session().request(
            request.method,
            URL(str(request.url), encoded=True),
            headers=[(k.decode("latin-1"), v.decode("latin-1")) for k, v in request.headers.raw],
            data=request.content or None,
            allow_redirects=False,
        ) as response:
            content = await _read(response.content)
        headers = [
            (name, value)
            for name, value in response.raw_headers
            if name.lower() not in _TRANSPORT_HEADERS
        ]
        return httpx.Response(response.status, headers=headers, content=content, request=request)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        """Return the session; it can only be created while an event loop runs."""
        if self._session is None:
            seconds = self._endpoint.timeout_seconds
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0,
                    ssl=_ssl_context(self._endpoint.ca_file),
                    keepalive_timeout=KEEP_ALIVE_SECONDS,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(sock_connect=seconds, sock_read=seconds),
            )
        return self._session


async def _read(content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    try:
        while chunk := await content.readany():
            body += chunk
            if len(body) > MAX_RESPONSE_BYTES:
                raise _ResponseTooLongError
    except aiohttp.ClientPayloadError as error:
        if isinstance(error.__cause__, ContentEncodingError):
            raise _DecompressionError from error
        raise
    return bytes(body)


@cache
def _ssl_context(ca_file: str | None) -> ssl.SSLContext:
    """Return the trusted certificates; cached, since reading the system's takes some 30 ms."""
    if ca_file:
        return ssl.create_default_context(cafile=ca_file)
    return httpx.create_ssl_context()
