"""One HTTP recipe for every provider: a call in, a checked model or one of our errors out."""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import asynccontextmanager
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport
from pydantic import BaseModel, TypeAdapter, ValidationError
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

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from bot.provider import Endpoint

log = logging.getLogger(__name__)

LARGEST_ANSWER = 8 * 1024 * 1024  # bytes
KEEP_ALIVE_SECONDS = 120.0  # longer than the longest poll interval

T = TypeVar("T", bound=BaseModel)
Explain = "Callable[[httpx.Response], ProviderError | None]"


class Http:
    """Calls to one connection's API, through one client that is kept open.

    Raises AccessDenied, AnswerNotUnderstood, CredentialsRefused, JobNotFound, RateLimited or
    Unavailable; nothing of httpx or pydantic leaves this class. `name` is the connection's, for
    the sentences.
    """

    def __init__(self, name: str, endpoint: Endpoint) -> None:
        self.name = name
        self._endpoint = endpoint
        self._places = asyncio.Semaphore(endpoint.concurrency)
        self._client = httpx.AsyncClient(
            base_url=endpoint.base_url,
            auth=endpoint.auth,
            headers=dict(endpoint.headers),
            timeout=endpoint.timeout_seconds,
            transport=_transport(endpoint),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # keeps none
        )

    async def close(self) -> None:
        """Close the client and its connections."""
        await self._client.aclose()

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
        request = self._client.build_request(
            method, path, params=params, json=json, headers=dict(headers or {})
        )
        async with self._places:
            response = await self._send(request, auth)
        error = (explain(response) if explain else None) or refusal(response, self.name)
        if error is not None:
            log.info("%s %s of %s answered %d", method, path, self.name, response.status_code)
            raise error
        return response

    async def _send(self, request: httpx.Request, auth: httpx.Auth | None) -> httpx.Response:
        chosen = auth if auth is not None else self._client.auth
        try:
            async with _whole(self._client, request, chosen) as response:
                await _read(response, self.name)
                return response
        except httpx.DecodingError as error:
            raise AnswerNotUnderstood(f"The answer of {self.name} cannot be unpacked.") from error
        except (httpx.TransportError, aiohttp.ClientError, OSError) as error:
            # httpx-aiohttp calls every lost connection a time-out; what lies beneath tells.
            late = isinstance(error.__cause__ or error, TimeoutError)
            what = "did not answer in time" if late else "cannot be reached"
            raise Unavailable(f"{self.name} {what}.") from error


@asynccontextmanager
async def _whole(
    client: httpx.AsyncClient, request: httpx.Request, auth: httpx.Auth | None
) -> AsyncIterator[httpx.Response]:
    response = await client.send(request, auth=auth, stream=True)
    try:
        yield response
    finally:
        await response.aclose()


async def _read(response: httpx.Response, name: str) -> None:
    """Read the body, but no more of it than a job's answer can have."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise AnswerNotUnderstood(f"The answer of {name} is too long.")
    response._content = bytes(body)  # noqa: SLF001  httpx offers no reading with a limit


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
        return TypeAdapter(model).validate_json(response.content)
    except ValidationError as error:
        log.warning("answer of %s: %s", name, problems(error))
        # Not `from error`: its text holds the answer, which may repeat a secret.
        raise AnswerNotUnderstood(f"The answer of {name} was not understood.") from None


def problems(error: ValidationError) -> str:
    """Return where and how a value failed to validate, without the value: it may be secret."""
    return "; ".join(
        f"{'.'.join(map(str, item['loc'])) or 'body'}: {item['type']}"
        for item in error.errors(include_input=False, include_url=False, include_context=False)
    )


class _ExactUrls:
    """A session that sends URLs as they are: signatures cover `%2C`, which yarl would decode."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    def request(self, *, url: str, **options: Any) -> Any:
        return self._session.request(url=URL(url, encoded=True), **options)

    async def close(self) -> None:
        await self._session.close()


class _Transport(AiohttpTransport):
    """httpx over aiohttp, with our own session: exact URLs, no cookie jar, long keep-alive."""

    _exact: _ExactUrls | None = None

    def get_client(self) -> Any:
        if self._exact is None:
            connector = aiohttp.TCPConnector(
                limit=0, ssl=self.ssl_context, keepalive_timeout=KEEP_ALIVE_SECONDS
            )
            self._exact = _ExactUrls(
                aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
            )
        return self._exact

    async def aclose(self) -> None:
        if self._exact is not None:
            await self._exact.close()


def _transport(endpoint: Endpoint) -> httpx.AsyncBaseTransport:
    return _Transport(verify=_trust(endpoint.ca_file))


@cache
def _trust(ca_file: str | None) -> ssl.SSLContext:
    """Return whom to trust; reading the machine's certificates takes some 30 ms, so only once."""
    if ca_file:
        return ssl.create_default_context(cafile=ca_file)
    return httpx.create_ssl_context()
