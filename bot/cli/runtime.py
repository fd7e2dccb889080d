"""Reads the settings for a command and runs it: errors become sentences and exit codes."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from bot.cli.options import DEFAULT_CONFIG, EXIT_BAD_SETTINGS, exit_with_error
from bot.sdk.errors import JobthreadError, SettingsError
from bot.settings import read

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from pathlib import Path

    from bot.settings import Settings, SettingsResult


def load_settings(config: Path | None) -> Settings:
    """Read the settings; print all their problems and exit with 2 if there are any."""
    reading = try_settings(config)
    if reading.problems or reading.settings is None:
        exit_with_problems(reading.problems)
    return reading.settings


def try_settings(config: Path | None) -> SettingsResult:
    """Read the settings; return them with their problems."""
    if config is None and DEFAULT_CONFIG.is_file():
        config = DEFAULT_CONFIG
    return read(config)


def exit_with_problems(problems: Sequence[str]) -> NoReturn:
    """Print all problems of the settings and exit with 2."""
    exit_with_error(str(SettingsError(problems)), code=EXIT_BAD_SETTINGS)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a command; print an expected error as a sentence and exit with its code."""
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
