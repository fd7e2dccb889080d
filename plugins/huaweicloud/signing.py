"""Signs requests with an access key: SDK-HMAC-SHA256.

Source: Huawei Cloud's API signing guide (devg-apisign, api-sign-algorithm-002); checked against the
signatures of the official Python SDK.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote

import httpx

from plugins.huaweicloud import errors
from plugins.huaweicloud.credential_lockout import CredentialLockout

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from datetime import datetime

    from pydantic import SecretStr

    from bot.sdk import Clock

_PLAIN = re.compile(r"[\w.~/-]+(\?[\w.~-]+=[\w.~-]*(&[\w.~-]+=[\w.~-]*)*)?", re.ASCII)
ALGORITHM = "SDK-HMAC-SHA256"


@dataclass(frozen=True)
class Keys:
    """An access key and its project; empty values are not sent."""

    access_key: str
    secret_key: SecretStr
    security_token: SecretStr
    project_id: str


def canonical_url(url: httpx.URL) -> httpx.URL:
    """Return the URL in the encoding that is signed, so that the same bytes are sent."""
    raw = url.raw_path.decode("ascii")
    path, _, query = raw.partition("?")
    raw_pairs = query.split("&")
    if _PLAIN.fullmatch(raw) and raw_pairs == sorted(raw_pairs):
        return url
    path = "/".join(_quoted(unquote(part)) for part in path.split("/"))
    pairs = sorted(parse_qsl(url.query.decode("ascii"), keep_blank_values=True))
    query = "&".join(f"{_quoted(key)}={_quoted(value)}" for key, value in pairs)
    return url.copy_with(raw_path=(f"{path}?{query}" if query else path).encode("ascii"))


def canonical_request(method: str, url: httpx.URL, headers: Mapping[str, str], body: bytes) -> str:
    """Return the text whose hash is signed; `url` is canonical, `headers` are the signed ones."""
    path, _, query = url.raw_path.decode("ascii").partition("?")
    signed = sorted((name.lower(), value.strip()) for name, value in headers.items())
    lines = [method, path if path.endswith("/") else f"{path}/", query]
    lines += [f"{name}:{value}" for name, value in signed]
    lines += ["", ";".join(name for name, _ in signed), hashlib.sha256(body).hexdigest()]
    return "\n".join(lines)


def signed_headers(
    method: str, url: httpx.URL, host: str, body: bytes, *, keys: Keys, at: datetime
) -> dict[str, str]:
    """Return the headers that authenticate a request; `at` is aware, at most 15 minutes off."""
    timestamp = at.strftime("%Y%m%dT%H%M%SZ")
    extra = {
        "X-Sdk-Date": timestamp,
        "X-Project-Id": keys.project_id,
        "X-Security-Token": keys.security_token.get_secret_value(),
    }
    extra = {name: value for name, value in extra.items() if value}
    signed = {"Host": host, **extra}
    canonical = canonical_request(method, url, signed, body)
    text = f"{ALGORITHM}\n{timestamp}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    secret = keys.secret_key.get_secret_value().encode()
    signature = hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
    names = ";".join(sorted(name.lower() for name in signed))
    credential = f"Access={keys.access_key}, SignedHeaders={names}, Signature={signature}"
    return {**extra, "Authorization": f"{ALGORITHM} {credential}"}


class SignedAuth(httpx.Auth):
    """Signs every request of a connection; pauses after its keys are rejected.

    More than five wrong signatures in a row lock an access key for five minutes (APIGW.0301), so
    requests are sent one at a time until one has shown that the keys are valid.
    """

    def __init__(self, name: str, keys: Keys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._lockout = CredentialLockout(name, clock)
        self._lock = asyncio.Lock()
        self._verified = False

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign the request, send it, and record whether the keys were accepted."""
        body = await request.aread()
        lock = None if self._verified else await self._acquire()
        try:
            self._lockout.check()
            self._sign(request, body)
            await self._record_result((yield request))
        finally:
            if lock is not None:
                lock.release()

    async def _acquire(self) -> asyncio.Lock | None:
        """Wait for earlier requests; return the held lock while the keys are unverified."""
        await self._lock.acquire()
        if not self._verified:
            return self._lock
        self._lock.release()
        return None

    def _sign(self, request: httpx.Request, body: bytes) -> None:
        request.url = canonical_url(request.url)
        host = request.headers["Host"]
        request.headers.update(
            signed_headers(
                request.method, request.url, host, body, keys=self._keys, at=self._clock.now()
            )
        )

    async def _record_result(self, response: httpx.Response) -> None:
        if await errors.rejects_credentials(response):
            self._verified = False
            raise self._lockout.start(
                "access_key and secret_key",
                "The operator of this bot must check both, and that this machine's clock is right.",
            )
        if response.status_code < 500:
            self._verified = True


def _quoted(text: str) -> str:
    return quote(text, safe="~")
