"""The settings that every self-hosted system shares: where it is, and whose word proves it."""

from __future__ import annotations

import ssl
from urllib.parse import quote, urlsplit

from pydantic import Field, field_validator

from bot.providers.provider import ConnectionSettings


class SelfHostedSettings(ConnectionSettings):
    """Where a system is reached."""

    url: str = Field(description="The system's address, such as https://10.0.3.17:8443.")
    ca_file: str = Field("", description="A PEM file with the CA of the system's certificate.")
    console_url: str = Field("", description="A job's page, with {id} where its id stands.")

    @field_validator("url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if not _bare_address(value):
            raise ValueError(
                "url must be an address such as https://10.0.3.17:8443, "
                "without a user, a query or a fragment."
            )
        return value.rstrip("/")

    @field_validator("ca_file")
    @classmethod
    def _holds_certificates(cls, value: str) -> str:
        try:
            if value:
                ssl.create_default_context(cafile=value)
        except (OSError, ValueError):
            raise ValueError(
                "ca_file must be a PEM file with certificates: check the path and its rights."
            ) from None
        return value

    @field_validator("console_url")
    @classmethod
    def _is_page(cls, value: str) -> str:
        if value and (not value.startswith(("https://", "http://")) or value.count("{id}") > 1):
            raise ValueError("console_url must begin with https:// and hold {id} at most once.")
        return value

    def page(self, id_: str) -> str | None:
        """Return a job's page by `console_url`, if that is set."""
        return self.console_url.replace("{id}", quote(id_, safe="")) or None


def _bare_address(value: str) -> bool:
    """Tell whether a value is a web address and nothing more; a path may lead through a proxy."""
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
