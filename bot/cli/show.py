"""`jobthread show`: a job's card in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from bot.cli import terminal_card
from bot.cli.configuration import valid_settings
from bot.cli.options import exit_with_error
from bot.cli.runtime import run
from bot.providers import references
from bot.providers.connection_builder import load_providers
from bot.sdk.cards.job_card import CardContext
from bot.sdk.clock import SystemClock
from bot.sdk.errors import Ambiguous
from bot.sdk.formatting import utc_time
from bot.sdk.models import Job

if TYPE_CHECKING:
    from pathlib import Path

    from bot.providers.connections import Connections
    from bot.providers.references import Resolution
    from bot.sdk.errors import JobthreadError
    from bot.settings import Settings


def show(reference: str, config: Path | None) -> None:
    """Print a job's card."""
    run(_show(reference, valid_settings(config)))


async def _show(reference: str, settings: Settings) -> None:
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


def _choices(error: JobthreadError) -> str:
    """Return the jobs that match an ambiguous name, a line each."""
    if not isinstance(error, Ambiguous):
        return ""
    return "".join(
        f"\n  {ref}  {text}"
        + (f", created {utc_time(error.created[ref])}" if ref in error.created else "")
        for ref, text in error.choices
    )


def _resolution_error(resolution: Resolution, connections: Connections) -> str:
    if resolution.refs:
        return "Which one? " + ", ".join(map(str, resolution.refs))
    hint = f" Did you mean {resolution.suggestion}?" if resolution.suggestion else ""
    hint = f" Its ids have the form of {resolution.id_example}." if resolution.id_example else hint
    names = ", ".join(connections.names) or "none is set up"
    problem = f"{resolution.word or 'That'} is not a reference: {resolution.reason}."
    return f"{problem}{hint} Connections: {names}."
