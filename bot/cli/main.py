"""Typer application: every command of the command line.

Heavy modules are imported inside the commands that use them, so that `--help` is fast.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli import operations
from bot.cli.options import (
    EXIT_BAD_SETTINGS,
    EXIT_FAILED,
    Config,
    exit_with_error,
    load_settings,
    on_signals,
    run,
    valid_settings,
)
from bot.cli.scaffold.command import new_plugin
from bot.cli.serve import run_bot

if TYPE_CHECKING:
    from bot.settings import Settings

app = typer.Typer(
    name="jobthread",
    help="Ask about a job in Slack; its thread tells you the rest.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.command()
def serve(config: Config = None) -> None:
    """Run the bot for a workspace until it is stopped."""
    from bot import logs  # noqa: PLC0415

    logs.configure()
    run_bot(valid_settings(config))


@app.command()
def demo(
    check: Annotated[  # noqa: FBT002  a flag
        bool, typer.Option("--check", help="Run a scripted conversation instead, and check it.")
    ] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the page; 0 takes any free one.")
    ] = 0,
) -> None:
    """Run a local Slack, simulated job systems and the real bot; needs no account of any kind."""
    run(_check_demo() if check else _demo(port))


async def _demo(port: int) -> None:
    from bot.cli.demo.demo import demo  # noqa: PLC0415

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
    import tempfile  # noqa: PLC0415

    from bot.cli.demo.demo import CHECK_SPEED, DemoError, demo  # noqa: PLC0415
    from bot.cli.demo.script import DemoScript, MissingReplyError  # noqa: PLC0415

    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        try:
            async with demo(speed=CHECK_SPEED, log=Path(log.name)) as running:
                await DemoScript(running, typer.echo).run()
        except (MissingReplyError, DemoError) as error:
            typer.echo(log.read().decode("utf-8", "replace"), err=True)
            exit_with_error(str(error))
    typer.echo("\nEverything that was expected was said.")


@app.command()
def simulate(
    kinds: Annotated[list[str] | None, typer.Argument(help="Kinds of provider; all.")] = None,
) -> None:
    """Run the simulators alone, and print the settings that reach them."""
    run(_simulate(kinds or []))


async def _simulate(wanted: list[str]) -> None:
    from bot.cli.demo.simulators import Simulators, as_toml  # noqa: PLC0415
    from bot.providers.plugin_loader import load_plugins  # noqa: PLC0415
    from bot.sdk.clock import SystemClock  # noqa: PLC0415

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


@app.command()
def show(
    reference: Annotated[str, typer.Argument(help="connection:id, a job's URL, or a bare id.")],
    config: Config = None,
) -> None:
    """Show a job's card in the terminal, without Slack."""
    run(_show(reference, valid_settings(config)))


async def _show(reference: str, settings: Settings) -> None:
    from rich.console import Console  # noqa: PLC0415

    from bot.cli import terminal_card  # noqa: PLC0415
    from bot.providers import references  # noqa: PLC0415
    from bot.providers.connection_builder import load_providers  # noqa: PLC0415
    from bot.sdk.cards.job_card import CardContext  # noqa: PLC0415
    from bot.sdk.clock import SystemClock  # noqa: PLC0415
    from bot.sdk.models import Job  # noqa: PLC0415

    connections = load_providers(settings.connections, settings.disabled_plugins).connections
    try:
        resolution = references.resolve(connections, reference)
        if len(resolution.refs) != 1:
            exit_with_error(_resolution_error(resolution, connections))
        connection = connections[resolution.refs[0].connection]
        job = await connection.fetch(resolution.refs[0])
        if not isinstance(job, Job):
            exit_with_error(f"{resolution.refs[0]}: {job}{_choices(job)}")
        view = CardContext(checked_at=SystemClock().now(), interactive=False)
        Console().print(terminal_card.render(connection.card(job, view), job))
    finally:
        await connections.close()


def _choices(error: Any) -> str:
    """Return the jobs that match an ambiguous name, a line each."""
    from bot.sdk.formatting import utc_time  # noqa: PLC0415

    created = getattr(error, "created", {})
    return "".join(
        f"\n  {ref}  {text}" + (f", created {utc_time(created[ref])}" if ref in created else "")
        for ref, text in getattr(error, "choices", ())
    )


def _resolution_error(resolution: Any, connections: Any) -> str:
    if resolution.refs:
        return "Which one? " + ", ".join(map(str, resolution.refs))
    hint = f" Did you mean {resolution.suggestion}?" if resolution.suggestion else ""
    hint = f" Its ids have the form of {resolution.form}." if resolution.form else hint
    names = ", ".join(connections.names) or "none is set up"
    problem = f"{resolution.word or 'That'} is not a reference: {resolution.why}."
    return f"{problem}{hint} Connections: {names}."


@app.command()
def check(config: Config = None) -> None:
    """Check the settings, the store, Slack's tokens and each connection."""
    from bot import logs  # noqa: PLC0415

    logs.configure(level=40)
    run(_check(valid_settings(config)))


async def _check(settings: Settings) -> None:
    from bot.cli.checks import SETTINGS, run_checks  # noqa: PLC0415

    code = 0
    typer.echo("ok      settings: They are read.")
    async for finding in run_checks(settings):
        if not finding.ok:
            code = max(code, EXIT_BAD_SETTINGS if finding.subject == SETTINGS else EXIT_FAILED)
        typer.echo(f"{'ok' if finding.ok else 'FAILED':<7} {finding.subject}: {finding.sentence}")
    if code:
        raise typer.Exit(code)


@app.command()
def plugins(config: Config = None) -> None:
    """List the installed plugins: version, distribution, state, providers."""
    from bot.providers.plugin_loader import load_plugins  # noqa: PLC0415

    settings = load_settings(config)
    found = load_plugins(settings.disabled_plugins)
    used = [str(table.get("provider", "")) for table in settings.connections.values()]
    for plugin in found.listing_for(used):
        about = f"{plugin.distribution} {plugin.version}".strip()
        line = f"{plugin.name:<18} {plugin.state:<15} {about:<20} {', '.join(plugin.kinds)}"
        typer.echo(f"{line}{plugin.reason}".rstrip())
    for problem in found.problems():
        typer.echo(problem, err=True)


@app.command()
def connections(config: Config = None) -> None:
    """List the configured connections."""
    run(_connections(valid_settings(config)))


async def _connections(settings: Settings) -> None:
    from bot.providers.connection_builder import load_providers  # noqa: PLC0415

    found = load_providers(settings.connections, settings.disabled_plugins).connections
    for each in found:
        typer.echo(f"{each.name:<18} {each.kind:<18} {each.base_url}")
    if not found:
        typer.echo("None is set up: add a [connections.NAME] table to jobthread.toml.")
    await found.close()


app.command()(operations.watches)
app.command()(operations.retry)
app.command()(operations.recover)
app.command()(operations.status)
app.command()(operations.backup)
app.command()(new_plugin)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
