"""Sign requests with an access key: SDK-HMAC-SHA256.

Source: Huawei Cloud's API signing guide (devg-apisign, api-sign-algorithm-002); checked against
the signatures of the official Python SDK.
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
from plugins.huaweicloud.pause import Pause

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from datetime import datetime

    from pydantic import SecretStr

    from bot.clock import Clock

_PLAIN = re.compile(r"[\w.~/-]+(\?[\w.~-]+=[\w.~-]*(&[\w.~-]+=[\w.~-]*)*)?", re.ASCII)
ALGORITHM = "SDK-HMAC-SHA256"


@dataclass(frozen=True)
class Keys:
    """An access key with what belongs to it; empty where there is none."""

    access_key: str
    secret_key: SecretStr
    security_token: SecretStr
    project_id: str


def exact(url: httpx.URL) -> httpx.URL:
    """Return the address in the encoding that is signed, so that it is sent in it too."""
    written = url.raw_path.decode("ascii")
    path, _, query = written.partition("?")
    pairs_written = query.split("&")
    if _PLAIN.fullmatch(written) and pairs_written == sorted(pairs_written):
        return url
    path = "/".join(_quoted(unquote(part)) for part in path.split("/"))
    pairs = sorted(parse_qsl(url.query.decode("ascii"), keep_blank_values=True))
    query = "&".join(f"{_quoted(key)}={_quoted(value)}" for key, value in pairs)
    return url.copy_with(raw_path=(f"{path}?{query}" if query else path).encode("ascii"))


def canonical_request(method: str, url: httpx.URL, headers: Mapping[str, str], body: bytes) -> str:
    """Return the text whose hash is signed; `url` is exact, `headers` are those to be signed."""
    path, _, query = url.raw_path.decode("ascii").partition("?")
    signed = sorted((name.lower(), value.strip()) for name, value in headers.items())
    lines = [method, path if path.endswith("/") else f"{path}/", query]
    lines += [f"{name}:{value}" for name, value in signed]
    lines += ["", ";".join(name for name, _ in signed), hashlib.sha256(body).hexdigest()]
    return "\n".join(lines)


def signed_headers(
    method: str, url: httpx.URL, host: str, body: bytes, *, keys: Keys, at: datetime
) -> dict[str, str]:
    """Return the headers that prove who asks; `at` is aware, and at most 15 minutes off."""
    moment = at.strftime("%Y%m%dT%H%M%SZ")
    added = {
        "X-Sdk-Date": moment,
        "X-Project-Id": keys.project_id,
        "X-Security-Token": keys.security_token.get_secret_value(),
    }
    added = {name: value for name, value in added.items() if value}
    covered = {"Host": host, **added}
    canonical = canonical_request(method, url, covered, body)
    text = f"{ALGORITHM}\n{moment}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    secret = keys.secret_key.get_secret_value().encode()
    signature = hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
    names = ";".join(sorted(name.lower() for name in covered))
    who = f"Access={keys.access_key}, SignedHeaders={names}, Signature={signature}"
    return {**added, "Authorization": f"{ALGORITHM} {who}"}


class SignedAuth(httpx.Auth):
    """Signs every call of a connection, and stops for a while once its keys were refused.

    More than five wrong signatures in a row lock an access key for five minutes (APIGW.0301), so
    calls go one by one until the keys have proved themselves.
    """

    def __init__(self, name: str, keys: Keys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._pause = Pause(name, clock)
        self._one_by_one = asyncio.Lock()
        self._proven = False

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign the request, send it, and learn from the answer whether the keys are good."""
        body = await request.aread()
        first = None if self._proven else await self._turn()
        try:
            self._pause.check()
            self._sign(request, body)
            await self._learn((yield request))
        finally:
            if first is not None:
                first.release()

    async def _turn(self) -> asyncio.Lock | None:
        """Wait for the calls before this one; return what is held while the keys are unproven."""
        await self._one_by_one.acquire()
        if not self._proven:
            return self._one_by_one
        self._one_by_one.release()
        return None

    def _sign(self, request: httpx.Request, body: bytes) -> None:
        request.url = exact(request.url)
        host = request.headers["Host"]
        request.headers.update(
            signed_headers(
                request.method, request.url, host, body, keys=self._keys, at=self._clock.now()
            )
        )

    async def _learn(self, response: httpx.Response) -> None:
        if await errors.refuses_credentials(response):
            self._proven = False
            raise self._pause.begin(
                "access_key and secret_key",
                "Whoever runs this bot must check both, and that this machine's clock is right.",
            )
        if response.status_code < 500:
            self._proven = True


def _quoted(text: str) -> str:
    return quote(text, safe="~")
