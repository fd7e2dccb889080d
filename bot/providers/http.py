"""One HTTP recipe for every provider: a call in, a checked model or one of our errors out."""

from __future__ import annotations

import asyncio
import logging
import ssl
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import httpx
from aiohttp.http_exceptions import ContentEncodingError
from pydantic import BaseModel, ValidationError
from yarl import URL

from bot.errors import (
    AccessDenied,
    AnswerNotUnderstood,
    CredentialsRefused,
    JobNotFound,
    ProviderError,
    RateLimited,
    Unavailable,
)
from bot.providers import evidence
from bot.providers.patience import place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.providers.provider import Endpoint

log = logging.getLogger(__name__)

LARGEST_ANSWER = 8 * 1024 * 1024  # bytes
USER_AGENT = "jobthread"
_LOST = "cannot be reached"
_UNPACKED = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})
KEEP_ALIVE_SECONDS = 120.0  # longer than the longest poll interval

T = TypeVar("T", bound=BaseModel)
Explain = "Callable[[httpx.Response], ProviderError | None]"


class Wire(Protocol):
    """What carries requests to an API, and its answers back."""

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its whole answer; raises aiohttp's errors."""

    async def close(self) -> None:
        """Close the connections."""


class Http:
    """Calls to one connection's API, through one client that is kept open.

    Raises AccessDenied, AnswerNotUnderstood, CredentialsRefused, JobNotFound, RateLimited or
    Unavailable; nothing of httpx or pydantic leaves this class. `name` is the connection's, for
    the sentences; `wire` is what carries requests, if it is not the network.
    """

    def __init__(self, name: str, endpoint: Endpoint, wire: Wire | None = None) -> None:
        self.name = name
        self._endpoint = endpoint
        self._places = asyncio.Semaphore(endpoint.concurrency)
        self._base_url = endpoint.base_url.rstrip("/")
        self._headers = {"Accept": "*/*", "User-Agent": USER_AGENT, **endpoint.headers}
        self._auth = endpoint.auth
        self._wire = wire or _Wire(endpoint)

    async def close(self) -> None:
        """Close the connections."""
        await self._wire.close()

    async def get(self, path: str, model: type[T], **options: Any) -> T:
        """GET a path and return the answer's body as `model`; options as of `call`."""
        return parsed(await self.call("GET", path, **options), model, self.name)

    async def post(self, path: str, model: type[T], **options: Any) -> T:
        """POST to a path and return the answer's body as `model`; options as of `call`."""
        return parsed(await self.call("POST", path, **options), model, self.name)

    async def call(
        self,
        method: str,
        path: str,
        *,
        explain: Callable[[httpx.Response], ProviderError | None] | None = None,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        auth: httpx.Auth | None = None,
    ) -> httpx.Response:
        """Send one request and return its whole answer, status 2xx.

        `explain` sees every answer first, whatever its status, and may return the error that it
        means in this API; None leaves it to the HTTP status.
        """
        request = self._request(method, path, params, json=json, headers=dict(headers or {}))
        async with place(self._places):
            response = await self._send(request, auth)
        error = (explain(response) if explain else None) or refusal(response, self.name)
        evidence.note(response, culprit=isinstance(error, AnswerNotUnderstood))
        if error is not None:
            asked = path.partition("?")[0]  # a query may hold a key
            log.info("%s %s of %s answered %d", method, asked, self.name, response.status_code)
            raise error
        return response

    def _request(
        self, method: str, path: str, params: Mapping[str, Any] | None, **rest: Any
    ) -> httpx.Request:
        """Build a request; its address is parsed once, where httpx would put it together thrice."""
        query = f"?{_query(params)}" if params else ""
        base_url = "" if path.startswith(("http://", "https://")) else self._base_url
        return httpx.Request(
            method,
            _address(f"{base_url}{path}{query}"),
            **{**rest, "headers": {**self._headers, **rest["headers"]}},
        )

    async def _send(self, request: httpx.Request, auth: httpx.Auth | None) -> httpx.Response:
        try:
            return await _exchange(self._wire, request, auth or self._auth)
        except _TooLongError:
            raise AnswerNotUnderstood(f"The answer of {self.name} is too long.") from None
        except _NotUnpackedError as error:
            raise AnswerNotUnderstood(f"The answer of {self.name} cannot be unpacked.") from error
        except (aiohttp.ClientError, OSError) as error:
            what = "did not answer in time" if isinstance(error, TimeoutError) else _LOST
            raise Unavailable(f"{self.name} {what}.") from error


@lru_cache(maxsize=4_096)
def _address(url: str) -> httpx.URL:
    """Parse an address; followed jobs are asked for at theirs again and again."""
    return httpx.URL(url)


def _query(params: Mapping[str, Any]) -> str:
    """Return parameters as httpx writes them: a list repeats its key, true is a small word."""
    written = {
        key: str(value).lower() if isinstance(value, bool) else "" if value is None else value
        for key, value in params.items()
    }
    return urlencode(written, doseq=True, quote_via=quote)


def refusal(response: httpx.Response, name: str) -> ProviderError | None:
    """Return what an HTTP status means where the API does not say it better; None for 2xx."""
    status = response.status_code
    if status < 300:
        return None
    known = {
        401: CredentialsRefused(f"{name} does not accept the credentials set for it."),
        403: AccessDenied(f"{name} does not let this bot see the job."),
        404: JobNotFound(f"{name} knows no such job."),
        429: RateLimited(f"{name} is busy.", retry_after=retry_after(response)),
    }
    if status in known:
        return known[status]
    if status >= 500:
        return Unavailable(f"{name} is in trouble (HTTP {status}).")
    return AnswerNotUnderstood(f"{name} gave an unexpected answer (HTTP {status}).")


def retry_after(response: httpx.Response, default: float = 30.0) -> float:
    """Return the seconds that an answer's Retry-After asks for, 1 to 3600."""
    text = response.headers.get("Retry-After", "")
    return min(3600.0, max(1.0, float(text))) if text.isdecimal() else default


def parsed(response: httpx.Response, model: type[T], name: str) -> T:
    """Return an answer's JSON body as `model`; raises AnswerNotUnderstood."""
    try:
        return model.model_validate_json(response.content)
    except ValidationError as error:
        evidence.note(response, problems(error), culprit=True)
        log.warning("answer of %s: %s", name, problems(error))
        # Not `from error`: its text holds the answer, which may repeat a secret.
        raise AnswerNotUnderstood(f"The answer of {name} was not understood.") from None


def problems(error: ValidationError) -> str:
    """Return where and how a value failed to validate, without the value: it may be secret."""
    return "; ".join(
        f"{'.'.join(map(str, item['loc'])) or 'body'}: {item['type']}"
        for item in error.errors(include_input=False, include_url=False, include_context=False)
    )


class _TooLongError(Exception):
    """An answer is longer than a job's can be."""


class _NotUnpackedError(Exception):
    """An answer is not packed as it says."""


async def _exchange(wire: Wire, request: httpx.Request, auth: httpx.Auth | None) -> httpx.Response:
    """Send a request, and what its authentication wants sent besides; return the last answer.

    This is what httpx's client does, without its cookies, redirects and hooks.
    """
    if auth is None:
        return await wire.send(request)
    flow = auth.async_auth_flow(request)
    try:
        request = await anext(flow)
        while True:
            response = await wire.send(request)
            try:
                request = await flow.asend(response)
            except StopAsyncIteration:
                return response
    finally:
        await flow.aclose()


class _Wire:
    """httpx's requests and answers over aiohttp: many times the throughput of httpx's own pool.

    URLs go out as they are, since signatures cover `%2C`, which yarl would decode; no cookies are
    kept; an answer is read at once, up to the length that a job's can have, unpacked by aiohttp.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its whole answer; raises aiohttp's errors."""
        async with self._opened().request(
            request.method,
            URL(str(request.url), encoded=True),
            headers=[(k.decode("latin-1"), v.decode("latin-1")) for k, v in request.headers.raw],
            data=request.content or None,
            allow_redirects=False,
        ) as answer:
            content = await _read(answer.content)
        headers = [
            (name, value) for name, value in answer.raw_headers if name.lower() not in _UNPACKED
        ]
        return httpx.Response(answer.status, headers=headers, content=content, request=request)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        """Return the session; it must be made while a loop runs."""
        if self._session is None:
            seconds = self._endpoint.timeout_seconds
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0,
                    ssl=_trust(self._endpoint.ca_file),
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
            if len(body) > LARGEST_ANSWER:
                raise _TooLongError
    except aiohttp.ClientPayloadError as error:
        if isinstance(error.__cause__, ContentEncodingError):
            raise _NotUnpackedError from error
        raise
    return bytes(body)


@cache
def _trust(ca_file: str | None) -> ssl.SSLContext:
    """Return whom to trust; reading the machine's certificates takes some 30 ms, so only once."""
    if ca_file:
        return ssl.create_default_context(cafile=ca_file)
    return httpx.create_ssl_context()
