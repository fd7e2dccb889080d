"""`jobthread new-plugin`: writes a plugin package and prints the next steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from bot.cli.options import EXIT_FAILED
from bot.cli.scaffold import package
from bot.sdk.errors import JobthreadError

if TYPE_CHECKING:
    from pathlib import Path


def new_plugin(name: str, folder: Path | None) -> None:
    """Write the package."""
    try:
        package_folder = package.write(name, folder)
    except JobthreadError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_FAILED) from None
    typer.echo(f"{package_folder} holds a plugin that works, for an API that is made up. Next:\n")
    typer.echo(f"  cd {package_folder}")
    typer.echo("  pip install -e . pytest")
    typer.echo("  pytest")
    typer.echo("  jobthread plugins\n")
    typer.echo("Then make its API yours; docs/writing-a-plugin.md leads through it step by step.")
