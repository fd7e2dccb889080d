"""Simulator of Huawei Cloud's gateway: signatures, tokens, lockouts and throttling.

The signature is computed here independently, from the raw request and the published rules, so that
a mistake in the signer is not repeated in its check.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp.typedefs import Handler

    from bot.sdk import Clock

MAX_CLOCK_SKEW = timedelta(minutes=15)  # allowed difference of X-Sdk-Date
LOCK_PERIOD = timedelta(minutes=5)
MAX_FAILURES = 5
TOKEN_LIFETIME = timedelta(hours=24)
TOKENS_PATH = "/v3/auth/tokens"

_AUTHORIZATION = re.compile(
    r"SDK-HMAC-SHA256 Access=([^,]+), SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})"
)


@dataclass(frozen=True)
class Tenant:
    """The account that the gateway accepts; all values are made up."""

    project_id: str = "0123456789abcdef0123456789abcdef"
    access_key: str = "AKEXAMPLE0000000000"
    secret_key: str = "SKexample0000000000000000000000000000000"  # noqa: S105  made up
    domain_name: str = "example-account"
    user_name: str = "example-bot"
    password: str = "made-up-password"  # noqa: S105  made up

    def key_settings(self) -> dict[str, str]:
        """Return the settings that sign requests with the access key."""
        keys = ("project_id", "access_key", "secret_key")
        return {key: getattr(self, key) for key in keys}

    def user_settings(self, iam_endpoint: str) -> dict[str, str]:
        """Return the settings that fetch tokens for the user."""
        keys = ("project_id", "domain_name", "user_name", "password")
        return {key: getattr(self, key) for key in keys} | {"iam_endpoint": iam_endpoint}


@dataclass
class SimulatedGateway:
    """Authenticates and throttles requests, and counts the issued tokens."""

    clock: Clock
    tenant: Tenant = field(default_factory=Tenant)
    tokens: dict[str, datetime] = field(default_factory=dict)  # token → expiry
    tokens_issued: int = 0
    max_calls: int | None = None  # requests accepted within `limit_seconds`
    limit_seconds: int = 300
    _failures: int = 0
    _locked_until: datetime | None = None
    _accepted: deque[datetime] = field(default_factory=deque)

    def install(self, app: web.Application) -> None:
        """Add the gateway to the app as middleware, and IAM's token endpoint."""
        app.middlewares.append(self._authenticate)
        app.router.add_post(TOKENS_PATH, self._issue_token)

    def revoke_tokens(self) -> None:
        """Revoke every token now, as a change of permissions does."""
        self.tokens.clear()

    @web.middleware
    async def _authenticate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == TOKENS_PATH:
            return await handler(request)
        rejection = self._rejection(request, await request.read())
        return rejection if rejection is not None else await handler(request)

    def _rejection(self, request: web.Request, body: bytes) -> web.Response | None:
        if self._throttled():
            words = f"limit:{self.max_calls},time:{self.limit_seconds // 60} minute"
            message = (
                f"The throttling threshold has been reached: policy user over ratelimit,{words}"
            )
            return error_response(429, "APIGW.0308", message)
        if "X-Auth-Token" in request.headers:
            return self._check_token(request.headers["X-Auth-Token"])
        return self._check_signature(request, body)

    def _throttled(self) -> bool:
        now = self.clock.now()
        while self._accepted and self._accepted[0] <= now - timedelta(seconds=self.limit_seconds):
            self._accepted.popleft()
        if self.max_calls is not None and len(self._accepted) >= self.max_calls:
            return True
        self._accepted.append(now)
        return False

    def _check_token(self, token: str) -> web.Response | None:
        ends = self.tokens.get(token)
        if ends is not None and self.clock.now() < ends:
            return None
        return error_response(401, "APIGW.0307", "The token must be updated")

    def _check_signature(self, request: web.Request, body: bytes) -> web.Response | None:
        now = self.clock.now()
        if self._locked_until and now < self._locked_until:
            return _unauthorized("verify aksk signature fail, reach the limit, ak is locked")
        wrong = self._signature_error(request, body, now)
        if wrong is None:
            self._failures = 0
            return None
        self._failures += 1
        if self._failures >= MAX_FAILURES:
            self._failures, self._locked_until = 0, now + LOCK_PERIOD
        return _unauthorized(wrong)

    def _signature_error(self, request: web.Request, body: bytes, now: datetime) -> str | None:
        return signature_error(
            request.method,
            request.raw_path,
            request.headers,
            body,
            keys=(self.tenant.access_key, self.tenant.secret_key),
            now=now,
        )

    async def _issue_token(self, request: web.Request) -> web.Response:
        body = await request.json()
        user = body["auth"]["identity"]["password"]["user"]
        given = (user["domain"]["name"], user["name"], user["password"])
        tenant = self.tenant
        if given != (tenant.domain_name, tenant.user_name, tenant.password):
            error = {"code": 401, "message": "The username or password is wrong.", "title": "x"}
            return web.json_response({"error": error}, status=401)
        self.tokens_issued += 1
        token, expires = f"made-up-token-{self.tokens_issued}", self.clock.now() + TOKEN_LIFETIME
        self.tokens[token] = expires
        life = {"expires_at": f"{expires:%Y-%m-%dT%H:%M:%S.%fZ}", "methods": ["password"]}
        return web.json_response({"token": life}, status=201, headers={"X-Subject-Token": token})


def signature_error(
    method: str,
    raw_path: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    keys: tuple[str, str],
    now: datetime,
) -> str | None:
    """Return what is wrong with a request's signature, or None; `raw_path` as sent."""
    found = _AUTHORIZATION.fullmatch(headers.get("Authorization", ""))
    if found is None:
        return "no signature"
    access, names, signature = found.groups()
    if access != keys[0]:
        return "verify ak fail"
    stamp = headers.get("X-Sdk-Date", "")
    if "x-sdk-date" not in names.split(";") or not _within_window(stamp, now):
        return "verify aksk signature fail, signature expired"
    lines = [f"{name}:{headers.get(name, '').strip()}\n" for name in names.split(";")]
    canonical = (
        f"{method}\n{_canonical_path(raw_path)}\n{_canonical_query(raw_path)}\n"
        f"{''.join(lines)}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    )
    text = f"SDK-HMAC-SHA256\n{stamp}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    wanted = hmac.digest(keys[1].encode(), text.encode(), "sha256").hex()
    return None if hmac.compare_digest(wanted, signature) else "verify aksk signature fail"


def _within_window(stamp: str, now: datetime) -> bool:
    try:
        moment = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs(now - moment) <= MAX_CLOCK_SKEW


def _canonical_path(raw_path: str) -> str:
    path = raw_path.split("?", 1)[0]
    return "".join(f"{_encoded(part)}/" for part in path.rstrip("/").split("/"))


def _canonical_query(raw_path: str) -> str:
    query = raw_path.partition("?")[2]
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    decoded = sorted((unquote_to_bytes(key), unquote_to_bytes(value)) for key, _, value in pairs)
    return "&".join(
        f"{quote_from_bytes(k, safe='~')}={quote_from_bytes(v, safe='~')}" for k, v in decoded
    )


def _encoded(part: str) -> str:
    return quote_from_bytes(unquote_to_bytes(part), safe="~")


def _unauthorized(why: str) -> web.Response:
    message = f"Incorrect IAM authentication information: {why}"
    return error_response(401, "APIGW.0301", message)


def error_response(status: int, code: str, message: str, **more: Any) -> web.Response:
    """Return an error response as the gateway and the services write it."""
    body = {"error_msg": message, "error_code": code, "request_id": "d4e8a1c09b7f4c1e"}
    return web.json_response(body | more, status=status)
