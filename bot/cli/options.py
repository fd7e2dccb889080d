"""Options, exit codes and error output that the commands share."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from bot.settings import Reading, Settings

DEFAULT_CONFIG = Path("jobthread.toml")
BAD_SETTINGS = 2
FAILED = 1

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="The settings; jobthread.toml here if it exists."),
]


def settings_from(config: Path | None) -> Settings:
    """Read the settings; print all their problems and exit with 2 if there are any."""
    reading = reading_from(config)
    if reading.problems or reading.settings is None:
        refuse(reading.problems)
    return reading.settings


def reading_from(config: Path | None) -> Reading:
    """Read the settings; return them with their problems."""
    from bot.settings import read  # noqa: PLC0415

    if config is None and DEFAULT_CONFIG.is_file():
        config = DEFAULT_CONFIG
    return read(config)


def refuse(problems: Sequence[str]) -> NoReturn:
    """Print all problems of the settings and exit with 2."""
    from bot.sdk.errors import SettingsError  # noqa: PLC0415

    fail(str(SettingsError(problems)), code=BAD_SETTINGS)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a command; print an expected error as a sentence and exit with its code."""
    from bot.sdk.errors import JobthreadError, SettingsError  # noqa: PLC0415

    try:
        asyncio.run(work)
    except SettingsError as error:
        fail(str(error), code=BAD_SETTINGS)
    except JobthreadError as error:
        fail(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def fail(sentence: str, code: int = FAILED) -> NoReturn:
    """Print a sentence to standard error and exit with the code."""
    typer.echo(sentence, err=True)
    raise typer.Exit(code)
