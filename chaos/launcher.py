"""Launcher of the bot under test: `python -m chaos.launcher --break cas --config FILE`.

It changes this process as its options say, then runs the bot as `jobthread serve` does.
"""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  read by Typer
from typing import Annotated

import typer

from bot import logs
from bot.cli.configuration import valid_settings
from bot.cli.options import Config
from bot.cli.serve import run_bot
from chaos.safeguards import Safeguard, disable
from chaos.skewed_clock import SkewedClock

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def launch(
    config: Config = None,
    safeguard: Annotated[
        Safeguard | None, typer.Option("--break", help="The safeguard to disable.")
    ] = None,
    clock: Annotated[
        Path | None, typer.Option(help="File with the seconds that the clock is ahead.")
    ] = None,
) -> None:
    """Run the bot with a disabled safeguard or a skewed clock."""
    logs.configure()
    settings = valid_settings(config)
    if safeguard is not None:
        disable(safeguard)
        typer.echo(f"The safeguard {safeguard} is disabled.", err=True)
    run_bot(settings, SkewedClock(clock) if clock is not None else None)


if __name__ == "__main__":
    app()
