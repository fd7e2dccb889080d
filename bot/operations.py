"""What operators type beside a running bot, or a stopped one: backup, status and their kin."""

from __future__ import annotations

import asyncio
from pathlib import Path  # noqa: TC003  typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from bot.commandline import FAILED, Config, run, settings_from

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.backlog import Line, Live
    from bot.settings import Settings

STATUS_SECONDS = 5.0  # that the bot may take to say how it is


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


def status(config: Config = None) -> None:
    """Say how far behind the bot is; exit 1 if something waits longer than it should."""
    run(_status(settings_from(config)))


async def _status(settings: Settings) -> None:
    from bot import backlog  # noqa: PLC0415
    from bot.clock import SystemClock  # noqa: PLC0415
    from bot.store.visit import visit  # noqa: PLC0415

    async with visit(settings.store.url) as tx:
        known = backlog.lines(await backlog.read(tx, SystemClock().now()))
    found = [*known, *await _live_lines(settings)]
    _print(found)
    if not all(line.well for line in found):
        raise typer.Exit(FAILED)


def _print(found: Sequence[Line]) -> None:
    for line in found:
        typer.echo(f"{'ok' if line.well else 'BEHIND':<7} {line.what}: {line.sentence}")


async def _live_lines(settings: Settings) -> list[Line]:
    """Ask the running bot, where it serves an address."""
    from bot import backlog  # noqa: PLC0415

    if settings.slack.mode == "socket" and not settings.web.port:
        hint = "Set web.port to hear more from the running bot."
        return [backlog.Line("bot", well=True, sentence=hint)]
    live = await _live(settings)
    if live is None:
        silent = "It does not answer at the address of [web]."
        return [backlog.Line("bot", well=False, sentence=silent)]
    return backlog.live_lines(live)


async def _live(settings: Settings) -> Live | None:
    import aiohttp  # noqa: PLC0415

    from bot import backlog  # noqa: PLC0415
    from bot.slack.web import status_url  # noqa: PLC0415

    timeout = aiohttp.ClientTimeout(total=STATUS_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(status_url(settings.web)) as response,
        ):
            return backlog.live_of(await response.json()) if response.ok else None
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError, KeyError, TypeError):
        return None
