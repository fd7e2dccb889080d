"""Builds the HTTP authentication from the connection settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugins.huaweicloud.signing import Keys, SignedAuth
from plugins.huaweicloud.tokens import IamUser, StaticTokenAuth, TokenAuth

if TYPE_CHECKING:
    import httpx

    from bot.sdk import Clock
    from plugins.huaweicloud.settings import HuaweiCloudSettings


def auth(name: str, settings: HuaweiCloudSettings, clock: Clock) -> httpx.Auth:
    """Return the authentication for the credentials that are set: access key, user or token."""
    if settings.access_key:
        return SignedAuth(name, _keys(settings), clock)
    if settings.user_name:
        return TokenAuth(name, _user(settings), clock)
    return StaticTokenAuth(name, settings.token)


def _keys(settings: HuaweiCloudSettings) -> Keys:
    return Keys(
        settings.access_key, settings.secret_key, settings.security_token, settings.project_id
    )


def _user(settings: HuaweiCloudSettings) -> IamUser:
    return IamUser(
        settings.iam_url,
        settings.domain_name,
        settings.user_name,
        settings.password,
        settings.project_id,
    )
