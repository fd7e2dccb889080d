"""Settings shared by all Huawei Cloud connections: service address and credentials."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from bot.sdk import ConnectionSettings
from plugins.huaweicloud import endpoints

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGN_IN_METHODS: dict[str, tuple[str, ...]] = {  # required keys, by method; the first key names it
    "access_key": ("access_key", "secret_key"),
    "user_name": ("user_name", "password", "domain_name"),
    "token": ("token",),
}
OPTIONAL_KEYS = {
    "security_token": "access_key",
    "iam_endpoint": "user_name",
}  # optional key → its method
SECRET_KEYS = frozenset({"secret_key", "password", "token"})  # may be read from a file
SIGN_IN_CHOICES = (
    "access_key and secret_key (best), or user_name, password and domain_name of an IAM user, "
    "or token"
)


class HuaweiCloudSettings(ConnectionSettings):
    """Address and credentials of a Huawei Cloud service."""

    service: ClassVar[str]  # the first label of the host name, such as "servicestage"

    project_id: str = Field(description="The project's ID: 32 hexadecimal characters.")
    region: str = Field("", description="Such as cn-north-4; needed if endpoint is not set.")
    endpoint: str = Field("", description="The service's address, if it is not the region's own.")
    access_key: str = Field("", description="The access key (AK) to sign calls with.")
    secret_key: SecretStr = Field(SecretStr(""), description="The secret key (SK) beside it.")
    security_token: SecretStr = Field(SecretStr(""), description="Only for temporary keys.")
    user_name: str = Field("", description="An IAM user, if calls are made with a token.")
    password: SecretStr = Field(SecretStr(""), description="The IAM user's password.")
    domain_name: str = Field("", description="The account that the IAM user belongs to.")
    iam_endpoint: str = Field("", description="IAM's address, if it is not the region's own.")
    token: SecretStr = Field(SecretStr(""), description="A ready token; it lives for 24 hours.")
    console_url: str = Field("", description="A job's page, with {id} where its id stands.")

    @field_validator("project_id")
    @classmethod
    def _check_project(cls, value: str) -> str:
        if not re.fullmatch("[0-9a-f]{32}", value):
            raise ValueError(
                "project_id must be 32 hexadecimal characters: "
                "copy it from the console, My Credentials > API Credentials."
            )
        return value

    @field_validator("region")
    @classmethod
    def _check_region(cls, value: str) -> str:
        if value and not endpoints.REGION.fullmatch(value):
            raise ValueError("region must be a region's ID, such as cn-north-4.")
        return value

    @field_validator("endpoint", "iam_endpoint")
    @classmethod
    def _check_endpoint(cls, value: str) -> str:
        if value and not _is_base_url(value):
            raise ValueError(
                "an endpoint must be an address such as https://servicestage.example.com, "
                "without a user, a query or a fragment."
            )
        return value.rstrip("/")

    @field_validator("console_url")
    @classmethod
    def _check_console_url(cls, value: str) -> str:
        if value and (not value.startswith(("https://", "http://")) or value.count("{id}") > 1):
            raise ValueError("console_url must begin with https:// and hold {id} at most once.")
        return value

    @model_validator(mode="after")
    def _check_all(self) -> Self:
        problems = [*self._location_problems(), *self._credential_problems()]
        if problems:
            raise ValueError(" ".join(problems))
        return self

    def _location_problems(self) -> Iterator[str]:
        if not self.region and not self.endpoint:
            yield "region is missing: set it, such as cn-north-4, or set endpoint."
        if self.user_name and not self.iam_endpoint and not self.home_region:
            yield "iam_endpoint is missing: user_name needs it when endpoint names no region."

    def _credential_problems(self) -> Iterator[str]:
        ways = [
            way for way, keys in SIGN_IN_METHODS.items() if any(self._is_set(key) for key in keys)
        ]
        if not ways:
            yield f"Credentials are missing: set {SIGN_IN_CHOICES}."
        elif len(ways) > 1:
            both = " and ".join(
                next(key for key in SIGN_IN_METHODS[way] if self._is_set(key)) for way in ways
            )
            yield f"{both} are both set: keep one of them. Set {SIGN_IN_CHOICES}."
        else:
            yield from self._missing_keys(ways[0])

    def _missing_keys(self, way: str) -> Iterator[str]:
        given = [key for key in SIGN_IN_METHODS[way] if self._is_set(key)]
        for key in SIGN_IN_METHODS[way]:
            if key not in given:
                also = f" Set it, or {key}_file." if key in SECRET_KEYS else ""
                yield f"{key} is missing: {given[0]} is nothing without it.{also}"
        for extra, needed in OPTIONAL_KEYS.items():
            if self._is_set(extra) and needed != way:
                yield f"{extra} is only for {needed}: delete it."

    def _is_set(self, key: str) -> bool:
        value = getattr(self, key)
        return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)

    @property
    def base_url(self) -> str:
        """The service's address, without a trailing slash."""
        return self.endpoint or endpoints.service_url(self.service, self.region)

    @property
    def home_region(self) -> str:
        """The region from the settings or from the endpoint; empty if neither names one."""
        return self.region or endpoints.region_of(self.endpoint)

    @property
    def iam_url(self) -> str:
        """The address of IAM, which issues tokens."""
        return self.iam_endpoint or endpoints.service_url("iam", self.home_region)


def _is_base_url(value: str) -> bool:
    """Return whether a value is a URL without user, query and fragment."""
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018  it is checked when it is read
    except ValueError:
        return False
    return (
        parts.scheme in ("https", "http")
        and bool(parts.hostname)
        and not (parts.username or parts.password or parts.query or parts.fragment)
    )
