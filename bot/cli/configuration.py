"""Reads the settings for a command that uses connections: reports every problem at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.cli.runtime import exit_with_problems, try_settings
from bot.providers.connection_builder import load_providers
from bot.sdk.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bot.settings import Settings, SettingsResult


def valid_settings(config: Path | None) -> Settings:
    """Read the settings; on errors, list every problem of settings and connections, and exit."""
    reading = try_settings(config)
    if reading.problems or reading.settings is None:
        exit_with_problems(find_problems(reading))
    return reading.settings


def find_problems(reading: SettingsResult) -> list[str]:
    """Return all configuration problems: of the settings, of Slack's secrets, of connections."""
    problems = list(reading.problems)
    if reading.settings is None:
        return problems
    if not any(problem.startswith(("slack:", "slack.mode")) for problem in problems):
        slack = reading.settings.slack
        problems += [p for p in slack.problems() if not _is_reported(p.split()[0], problems)]
    try:
        load_providers(reading.settings.connections, reading.settings.disabled_plugins)
    except SettingsError as error:
        problems += error.problems
    return problems


def _is_reported(key: str, problems: Sequence[str]) -> bool:
    return any(problem.startswith(f"{key}:") for problem in problems)
