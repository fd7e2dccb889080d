"""Builds the authentication header from the settings."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Generator

    from plugins.http.settings import HttpSettings


class HeaderAuth(httpx.Auth):
    """Adds a header to every request; its value is not in its repr."""

    def __init__(self, name: str, value: str) -> None:
        self._name = name
        self._value = value

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the header."""
        request.headers[self._name] = self._value
        yield request


def auth(settings: HttpSettings) -> httpx.Auth | None:
    """Return the authentication that the settings describe, or None."""
    token = settings.token.get_secret_value()
    match settings.auth:
        case "bearer":
            return HeaderAuth("Authorization", f"Bearer {token}")
        case "basic":
            pair = f"{settings.user_name}:{settings.password.get_secret_value()}"
            return HeaderAuth("Authorization", f"Basic {b64encode(pair.encode()).decode()}")
        case "header":
            return HeaderAuth(settings.auth_name, token)
        case "cookie":
            return HeaderAuth("Cookie", f"{settings.auth_name}={token}")
    return None
