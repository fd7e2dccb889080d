"""Authenticates with IAM tokens: fetched for a user and cached, or a fixed one.

Source: Huawei Cloud's IAM reference (api-iam, iam_30_0001): the token comes in the header
X-Subject-Token and is valid for 24 hours, but may be revoked earlier; then the gateway answers 401
with APIGW.0307 or 0301.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import httpx
from pydantic import AwareDatetime, BaseModel, SecretStr

from bot.sdk import (
    AnswerNotUnderstood,
    Clock,
    CredentialsRefused,
    RateLimited,
    Unavailable,
    parse_response,
    retry_after,
)
from plugins.huaweicloud import errors
from plugins.huaweicloud.credential_lockout import CredentialLockout

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


TOKEN_HEADER = "X-Auth-Token"  # noqa: S105  a name
RENEWAL_MARGIN = timedelta(minutes=10)  # a token is renewed so long before it expires


@dataclass(frozen=True)
class IamUser:
    """The IAM user that tokens are fetched for, and IAM's address."""

    endpoint: str
    domain_name: str  # the account's name
    user_name: str
    password: SecretStr
    project_id: str

    def token_request(self) -> dict[str, object]:
        """Return the body of the token request."""
        user = {
            "domain": {"name": self.domain_name},
            "name": self.user_name,
            "password": self.password.get_secret_value(),
        }
        identity = {"methods": ["password"], "password": {"user": user}}
        return {"auth": {"identity": identity, "scope": {"project": {"id": self.project_id}}}}


@dataclass(frozen=True)
class _Token:
    value: str = field(repr=False)
    valid_until: datetime


class _TokenLifetime(BaseModel):
    expires_at: AwareDatetime


class _TokenResponse(BaseModel):
    token: _TokenLifetime


class TokenAuth(httpx.Auth):
    """Fetches a token for a user, caches it, and renews it once when the gateway rejects it."""

    def __init__(self, name: str, user: IamUser, clock: Clock) -> None:
        self._name = name
        self._user = user
        self._clock = clock
        self._lockout = CredentialLockout(name, clock)
        self._lock = asyncio.Lock()
        self._token: _Token | None = None

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with a token; if the token is rejected, once more with a new one."""
        for _ in range(2):
            async with self._lock:
                self._lockout.check()
                token = self._valid_token()
                if token is None:
                    token_response = yield self._token_request(request)
                    token = self._token = await self._parse_token(token_response)
            request.headers[TOKEN_HEADER] = token.value
            response = yield request
            if not await errors.rejects_credentials(response):
                return
            if self._token is token:
                self._token = None
        raise self._lockout.start(
            "even a new token",
            "The operator of this bot must check that project_id belongs to the region.",
        )

    def _valid_token(self) -> _Token | None:
        token = self._token
        return token if token and self._clock.now() < token.valid_until else None

    def _token_request(self, request: httpx.Request) -> httpx.Request:
        return httpx.Request(
            "POST",
            f"{self._user.endpoint}/v3/auth/tokens?nocatalog=true",
            json=self._user.token_request(),
            headers={"Accept": "application/json"},
            extensions={"timeout": request.extensions.get("timeout", {})},
        )

    async def _parse_token(self, response: httpx.Response) -> _Token:
        await response.aread()
        self._raise_for_status(response)
        value = response.headers.get("X-Subject-Token", "")
        if not value:
            raise AnswerNotUnderstood(f"IAM gave {self._name} no token.")
        expires = parse_response(response, _TokenResponse, f"IAM for {self._name}").token.expires_at
        return _Token(value, expires - RENEWAL_MARGIN)

    def _raise_for_status(self, response: httpx.Response) -> None:
        status = response.status_code
        if status == 201:
            return
        if status == 429:
            raise RateLimited(f"IAM is busy for {self._name}.", retry_after=retry_after(response))
        if status >= 500:
            raise Unavailable(f"IAM is in trouble for {self._name} (HTTP {status}).")
        if status in (400, 401, 403):
            raise self._lockout.start(
                "user_name, password and domain_name",
                "They must be those of an IAM user; one that is named like its account is refused.",
            )
        raise AnswerNotUnderstood(
            f"IAM gave {self._name} an unexpected answer (HTTP {status}).",
            next_step="The operator of this bot must check iam_endpoint.",
        )


class StaticTokenAuth(httpx.Auth):
    """Sends the configured token, which cannot be renewed."""

    def __init__(self, name: str, token: SecretStr) -> None:
        self._name = name
        self._token = token

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with the token."""
        request.headers[TOKEN_HEADER] = self._token.get_secret_value()
        response = yield request
        if await errors.rejects_credentials(response):
            raise CredentialsRefused(
                f"{self._name}: Huawei Cloud does not accept the token that is set; it may have "
                "ended, for a token lives for 24 hours at most.",
                next_step="Set a new one as token, or set access_key and secret_key, which last.",
            )
