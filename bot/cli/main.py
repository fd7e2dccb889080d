"""Typer application: declares every command; the bodies are in modules that load when called."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  Typer reads the annotations
from typing import Annotated

import typer

from bot.cli.lazy import body
from bot.cli.options import Config

app = typer.Typer(
    name="jobthread",
    help="Ask about a job in Slack; its thread tells you the rest.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.command()
@body("serve:serve")
def serve(config: Config = None) -> None:
    """Run the bot for a workspace until it is stopped."""


@app.command()
@body("demo.command:run_demo")
def demo(
    check: Annotated[  # noqa: FBT002  a flag
        bool, typer.Option("--check", help="Run a scripted conversation instead, and check it.")
    ] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the page; 0 takes any free one.")
    ] = 0,
) -> None:
    """Run a local Slack, simulated job systems and the real bot; needs no account of any kind."""


@app.command()
@body("demo.command:simulate")
def simulate(
    kinds: Annotated[list[str] | None, typer.Argument(help="Kinds of provider; all.")] = None,
) -> None:
    """Run the simulators alone, and print the settings that reach them."""


@app.command()
@body("show:show")
def show(
    reference: Annotated[str, typer.Argument(help="connection:id, a job's URL, or a bare id.")],
    config: Config = None,
) -> None:
    """Show a job's card in the terminal, without Slack."""


@app.command()
@body("checks:check")
def check(config: Config = None) -> None:
    """Check the settings, the store, Slack's tokens and each connection."""


@app.command()
@body("plugins:plugins")
def plugins(config: Config = None) -> None:
    """List the installed plugins: version, distribution, state, providers."""


@app.command()
@body("plugins:connections")
def connections(config: Config = None) -> None:
    """List the configured connections."""


@app.command()
@body("operations:watches")
def watches(
    unreachable: Annotated[  # noqa: FBT002  a flag
        bool, typer.Option("--unreachable", help="Only watches whose thread is unreachable.")
    ] = False,
    channel: Annotated[str | None, typer.Option(help="Only this channel's, such as C0123.")] = None,
    config: Config = None,
) -> None:
    """List the followed jobs, and the watches whose thread is unreachable."""


@app.command()
@body("operations:retry")
def retry(
    watch: Annotated[str | None, typer.Argument(help="As `jobthread watches` shows it.")] = None,
    everything: Annotated[  # noqa: FBT002  a flag
        bool, typer.Option("--all", help="All unreachable watches.")
    ] = False,
    config: Config = None,
) -> None:
    """Retry unreachable watches; the running bot does it, or the next one that starts."""


@app.command()
@body("recover:run_recover")
def recover(
    channel: Annotated[list[str], typer.Option(help="A channel's id, such as C0123; repeatable.")],
    since: Annotated[str, typer.Option(help="How far back to search for cards: 30d, 12h.")] = "30d",
    config: Config = None,
) -> None:
    """Rebuild the watches of channels from Slack's history; the bot must not be running."""


@app.command()
@body("operations:show_status")
def status(config: Config = None) -> None:
    """Show how far behind the bot is; exit 1 if anything is overdue."""


@app.command()
@body("operations:backup")
def backup(
    file: Annotated[Path, typer.Argument(help="A new file; `cp` it back to restore it.")],
    config: Config = None,
) -> None:
    """Copy the SQLite database while the bot is running, and check the copy."""


@app.command()
@body("scaffold.command:new_plugin")
def new_plugin(
    name: Annotated[str, typer.Argument(help="Of the job system, such as build-farm.")],
    folder: Annotated[
        Path | None, typer.Argument(help="An empty or new folder; jobthread-NAME, here.")
    ] = None,
) -> None:
    """Write a plugin package for a job system of your own: provider, simulator, tests."""


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
