"""Base class of the providers of self-hosted systems."""

from __future__ import annotations

from typing import TypeVar

from bot.sdk import Endpoint, Provider
from plugins.selfhosted.settings import SelfHostedSettings

SettingsT = TypeVar("SettingsT", bound=SelfHostedSettings)


class SelfHostedProvider(Provider[SettingsT]):
    """Provider with one address; each call carries its own authentication."""

    def connect(self) -> Endpoint:
        """Return the system's endpoint."""
        return Endpoint(self.settings.url, ca_file=self.settings.ca_file or None)
