"""`jobthread demo` and `jobthread simulate`."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

import typer

from bot.cli.demo.demo import CHECK_SPEED, DemoError, demo
from bot.cli.demo.script import DemoScript, MissingReplyError
from bot.cli.demo.simulators import Simulators, as_toml
from bot.cli.options import exit_with_error
from bot.cli.runtime import on_signals, run
from bot.providers.plugin_loader import load_plugins
from bot.sdk.clock import SystemClock


def run_demo(*, check: bool, port: int) -> None:
    """Run the demo until it is stopped, or run and check the scripted conversation."""
    run(_check_demo() if check else _demo(port))


async def _demo(port: int) -> None:
    stop = asyncio.Event()
    on_signals(stop.set)
    async with demo(port=port) as running:
        typer.echo(f"\n  Open {running.slack.url} in a browser: it is a Slack of your own.")
        typer.echo("  Try the jobs listed beside the channel. Ctrl-C stops everything.\n")
        ends = asyncio.ensure_future(running.ends())
        stops = asyncio.ensure_future(stop.wait())
        await asyncio.wait({ends, stops}, return_when=asyncio.FIRST_COMPLETED)
        stops.cancel()
        if ends.done():
            ends.result()
        ends.cancel()
    typer.echo("Stopped.")


async def _check_demo() -> None:
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        try:
            async with demo(speed=CHECK_SPEED, log=Path(log.name)) as running:
                await DemoScript(running, typer.echo).run()
        except (MissingReplyError, DemoError) as error:
            typer.echo(log.read().decode("utf-8", "replace"), err=True)
            exit_with_error(str(error))
    typer.echo("\nEverything that was expected was said.")


def simulate(kinds: list[str] | None) -> None:
    """Run the simulators until they are stopped."""
    run(_simulate(kinds or []))


async def _simulate(wanted: list[str]) -> None:
    kinds = load_plugins().kinds
    if unknown := [kind for kind in wanted if kind not in kinds]:
        exit_with_error(f"There is no provider {unknown[0]}; there are {', '.join(sorted(kinds))}.")
    stop = asyncio.Event()
    on_signals(stop.set)
    chosen = [kinds[kind] for kind in dict.fromkeys(wanted) or sorted(kinds)]
    async with Simulators(chosen, SystemClock()) as simulators:
        typer.echo(as_toml(simulators.running))
        for each in simulators.running:
            for sample in each.samples:
                typer.echo(f"# {each.name}:{sample.id}  {sample.title}")
        typer.echo("# Ctrl-C stops the simulators.")
        sys.stdout.flush()
        await stop.wait()
