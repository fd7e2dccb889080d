"""`jobthread plugins` and `jobthread connections`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from bot.cli.configuration import valid_settings
from bot.cli.runtime import load_settings, run
from bot.providers.connection_builder import load_providers
from bot.providers.plugin_loader import load_plugins

if TYPE_CHECKING:
    from pathlib import Path

    from bot.settings import Settings


def plugins(config: Path | None) -> None:
    """Print a line for each installed plugin."""
    settings = load_settings(config)
    found = load_plugins(settings.disabled_plugins)
    used = [str(table.get("provider", "")) for table in settings.connections.values()]
    for plugin in found.listing_for(used):
        about = f"{plugin.distribution} {plugin.version}".strip()
        line = f"{plugin.name:<18} {plugin.state:<15} {about:<20} {', '.join(plugin.kinds)}"
        typer.echo(f"{line}{plugin.reason}".rstrip())
    for problem in found.problems():
        typer.echo(problem, err=True)


def connections(config: Path | None) -> None:
    """Print a line for each connection."""
    run(_connections(valid_settings(config)))


async def _connections(settings: Settings) -> None:
    found = load_providers(settings.connections, settings.disabled_plugins).connections
    for each in found:
        typer.echo(f"{each.name:<18} {each.kind:<18} {each.base_url}")
    if not found:
        typer.echo("None is set up: add a [connections.NAME] table to jobthread.toml.")
    await found.close()
