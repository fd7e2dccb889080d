"""Settings shared by self-hosted systems: the address and the CA of its certificate."""

from __future__ import annotations

import ssl
from urllib.parse import quote, urlsplit

from pydantic import Field, field_validator

from bot.sdk import ConnectionSettings


class SelfHostedSettings(ConnectionSettings):
    """Address and CA file of a self-hosted system."""

    url: str = Field(description="The system's address, such as https://10.0.3.17:8443.")
    ca_file: str = Field("", description="A PEM file with the CA of the system's certificate.")
    console_url: str = Field("", description="A job's page, with {id} where its id stands.")

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        if not _is_base_url(value):
            raise ValueError(
                "url must be an address such as https://10.0.3.17:8443, "
                "without a user, a query or a fragment."
            )
        return value.rstrip("/")

    @field_validator("ca_file")
    @classmethod
    def _check_ca_file(cls, value: str) -> str:
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
    def _check_console_url(cls, value: str) -> str:
        if value and (not value.startswith(("https://", "http://")) or value.count("{id}") > 1):
            raise ValueError("console_url must begin with https:// and hold {id} at most once.")
        return value

    def job_url(self, id_: str) -> str | None:
        """Return a job's page by the setting `console_url`, if it is set."""
        return self.console_url.replace("{id}", quote(id_, safe="")) or None


def _is_base_url(value: str) -> bool:
    """Return whether a value is a URL without user, query and fragment; a path is allowed."""
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
