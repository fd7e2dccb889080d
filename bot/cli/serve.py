"""Runs the bot until it is stopped by a signal."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from bot import logs
from bot.cli.configuration import valid_settings
from bot.cli.runtime import on_signals, run

if TYPE_CHECKING:
    from pathlib import Path

    from bot.sdk.clock import Clock
    from bot.settings import Settings


def serve(config: Path | None) -> None:
    """Configure logging, read the settings and run the bot."""
    logs.configure()
    run_bot(valid_settings(config))


def run_bot(settings: Settings, clock: Clock | None = None) -> None:
    """Run the bot until a signal arrives, by the system's clock unless another is given."""
    run(_serve(settings, clock))


async def _serve(settings: Settings, clock: Clock | None) -> None:
    """Serve until a signal arrives, even while the bot is still connecting."""
    stop = asyncio.Event()
    on_signals(stop.set)
    stopped = asyncio.ensure_future(stop.wait())
    serving = asyncio.ensure_future(_serve_until_cancelled(settings, clock))
    await asyncio.wait({stopped, serving}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


async def _serve_until_cancelled(settings: Settings, clock: Clock | None) -> None:
    from bot.app import Bot  # noqa: PLC0415  slow, and a signal must be handled meanwhile

    async with Bot(settings, clock=clock) as bot:
        typer.echo(f"jobthread is connected to {bot.workspace.url}")
        await asyncio.Event().wait()
