"""Options, settings, signals, exit codes and error output that the commands share."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from bot.settings import Settings, SettingsResult

DEFAULT_CONFIG = Path("jobthread.toml")
EXIT_BAD_SETTINGS = 2
EXIT_FAILED = 1

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="The settings; jobthread.toml here if it exists."),
]


def load_settings(config: Path | None) -> Settings:
    """Read the settings; print all their problems and exit with 2 if there are any."""
    reading = try_settings(config)
    if reading.problems or reading.settings is None:
        exit_with_problems(reading.problems)
    return reading.settings


def valid_settings(config: Path | None) -> Settings:
    """Read the settings; on errors, list every problem of settings and connections, and exit."""
    reading = try_settings(config)
    if reading.problems or reading.settings is None:
        from bot.cli.checks import find_problems  # noqa: PLC0415

        exit_with_problems(find_problems(reading))
    return reading.settings


def try_settings(config: Path | None) -> SettingsResult:
    """Read the settings; return them with their problems."""
    from bot.settings import read  # noqa: PLC0415

    if config is None and DEFAULT_CONFIG.is_file():
        config = DEFAULT_CONFIG
    return read(config)


def exit_with_problems(problems: Sequence[str]) -> NoReturn:
    """Print all problems of the settings and exit with 2."""
    from bot.sdk.errors import SettingsError  # noqa: PLC0415

    exit_with_error(str(SettingsError(problems)), code=EXIT_BAD_SETTINGS)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a command; print an expected error as a sentence and exit with its code."""
    from bot.sdk.errors import JobthreadError, SettingsError  # noqa: PLC0415

    try:
        asyncio.run(work)
    except SettingsError as error:
        exit_with_error(str(error), code=EXIT_BAD_SETTINGS)
    except JobthreadError as error:
        exit_with_error(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def on_signals(stop: Callable[[], None]) -> None:
    """Call `stop` on SIGINT and SIGTERM instead of ending the process."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)


def exit_with_error(sentence: str, code: int = EXIT_FAILED) -> NoReturn:
    """Print a sentence to standard error and exit with the code."""
    typer.echo(sentence, err=True)
    raise typer.Exit(code)
