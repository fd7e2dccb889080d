"""Options, exit codes and error output that the commands share. Imports nothing slow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

DEFAULT_CONFIG = Path("jobthread.toml")
EXIT_BAD_SETTINGS = 2
EXIT_FAILED = 1

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="The settings; jobthread.toml here if it exists."),
]


def exit_with_error(sentence: str, code: int = EXIT_FAILED) -> NoReturn:
    """Print a sentence to standard error and exit with the code."""
    typer.echo(sentence, err=True)
    raise typer.Exit(code)
