"""`jobthread new-plugin`: writes a plugin package and prints the next steps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

FAILED = 1

Target = Annotated[
    Path | None, typer.Argument(help="An empty or new folder; jobthread-NAME, here.")
]


def new_plugin(
    name: Annotated[str, typer.Argument(help="Of the job system, such as build-farm.")],
    folder: Target = None,
) -> None:
    """Write a plugin package for a job system of your own: provider, simulator, tests."""
    from bot.cli.scaffold import package  # noqa: PLC0415
    from bot.sdk.errors import JobthreadError  # noqa: PLC0415

    try:
        package_folder = package.write(name, folder)
    except JobthreadError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from None
    typer.echo(f"{package_folder} holds a plugin that works, for an API that is made up. Next:\n")
    typer.echo(f"  cd {package_folder}")
    typer.echo("  pip install -e . pytest")
    typer.echo("  pytest")
    typer.echo("  jobthread plugins\n")
    typer.echo("Then make its API yours; docs/writing-a-plugin.md leads through it step by step.")
