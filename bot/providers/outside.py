"""Loads plugins and connections; collects all configuration errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.providers import plugin_loader
from bot.providers.connections import Connections, connect
from bot.sdk.clock import Clock, SystemClock
from bot.sdk.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.providers.plugin_loader import Plugins
    from bot.settings import Settings, SettingsResult


@dataclass(frozen=True)
class LoadedProviders:
    """The plugins and connections of an installation, ready for calls."""

    plugins: Plugins
    connections: Connections


def load_providers(
    settings: Settings, clock: Clock | None = None, plugins: Plugins | None = None
) -> LoadedProviders:
    """Load the plugins and build the connections; raises SettingsError with all problems."""
    plugins = plugins or plugin_loader.load_plugins(settings.disabled_plugins)
    clock = clock or SystemClock()
    connections = connect(
        settings.connections, plugins.kinds, clock, plugins.disabled, plugins.threads()
    )
    return LoadedProviders(plugins, connections)


def find_problems(reading: SettingsResult) -> list[str]:
    """Return all configuration problems: of the settings, of Slack's secrets, of connections."""
    problems = list(reading.problems)
    if reading.settings is None:
        return problems
    if not any(problem.startswith(("slack:", "slack.mode")) for problem in problems):
        slack = reading.settings.slack
        problems += [p for p in slack.problems() if not _is_reported(p.split()[0], problems)]
    try:
        load_providers(reading.settings)
    except SettingsError as error:
        problems += error.problems
    return problems


def _is_reported(key: str, problems: Sequence[str]) -> bool:
    return any(problem.startswith(f"{key}:") for problem in problems)
