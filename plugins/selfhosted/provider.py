"""What the providers of self-hosted systems share: how such a system is reached."""

from __future__ import annotations

from typing import TypeVar

from bot.providers.provider import Endpoint, Provider
from plugins.selfhosted.settings import SelfHostedSettings

SettingsT = TypeVar("SettingsT", bound=SelfHostedSettings)


class SelfHostedProvider(Provider[SettingsT]):
    """A provider whose calls go to one address; each call brings what it signs in with."""

    def connect(self) -> Endpoint:
        """Return how the system is reached."""
        return Endpoint(self.settings.url, ca_file=self.settings.ca_file or None)
