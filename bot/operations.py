"""What operators type beside a running bot, or a stopped one: backup and its kin."""

from __future__ import annotations

import asyncio
from pathlib import Path  # noqa: TC003  typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from bot.commandline import Config, run, settings_from

if TYPE_CHECKING:
    from bot.settings import Settings


def backup(
    file: Annotated[Path, typer.Argument(help="A new file; `cp` it back to restore it.")],
    config: Config = None,
) -> None:
    """Copy the SQLite database, whole and checked, while the bot runs."""
    run(_backup(settings_from(config), file))


async def _backup(settings: Settings, file: Path) -> None:
    from bot.store.backup import backup  # noqa: PLC0415

    size = await asyncio.to_thread(backup, settings.store.url, file)
    typer.echo(f"{file} is a whole copy of the database, {size:,} bytes.")
