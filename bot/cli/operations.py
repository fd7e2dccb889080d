"""`jobthread watches`, `retry`, `status` and `backup`: work beside a running bot."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import typer

from bot import status
from bot.cli.options import EXIT_FAILED, exit_with_error
from bot.cli.runtime import load_settings, run
from bot.sdk.clock import SystemClock
from bot.slack.http_server import status_url
from bot.store import backup as store_backup
from bot.store.side_session import open_beside
from bot.tracking.redelivery import request_retry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bot.settings import Settings
    from bot.status import LiveStatus, StatusLine
    from bot.store import Watch

SHORT_ID = 8  # length of an abbreviated watch id, in characters
STATUS_SECONDS = 5.0  # timeout of the request to the running bot


def backup(file: Path, config: Path | None) -> None:
    """Copy the database."""
    run(_backup(load_settings(config), file))


async def _backup(settings: Settings, file: Path) -> None:
    size = await asyncio.to_thread(store_backup.backup, settings.store.url, file)
    typer.echo(f"{file} is a whole copy of the database, {size:,} bytes.")


def watches(*, unreachable: bool, channel: str | None, config: Path | None) -> None:
    """Print a line for each watch."""
    run(_watches(load_settings(config), only_unreachable=unreachable, channel=channel))


async def _watches(settings: Settings, *, only_unreachable: bool, channel: str | None) -> None:
    async with open_beside(settings.store.url) as tx:
        unreachable = await tx.dead_letters.watches(channel)
        active = [] if only_unreachable else await tx.watches.list_open(channel)
    counts = {watch.id: count for watch, count in unreachable}
    others = [watch for watch in active if watch.id not in counts]
    found = [*others, *(watch for watch, _ in unreachable)]
    for watch in sorted(found, key=lambda watch: (watch.requested_at, watch.id)):
        typer.echo(_watch_line(watch, counts.get(watch.id)))
    if not others and not unreachable:
        typer.echo("No watch is unreachable." if only_unreachable else "Nothing is followed.")


def _watch_line(watch: Watch, pending: int | None) -> str:
    requested = f"{watch.requested_at:%Y-%m-%d %H:%M} by {watch.asker}"
    line = f"{watch.id[:SHORT_ID]}  {watch.state:<12} {watch.channel:<12} {watch.ref}  {requested}"
    reason = f"{watch.reason}, " if watch.reason else ""
    return line if pending is None else f"{line}  ({reason}{pending} pending)"


def retry(watch: str | None, *, everything: bool, config: Path | None) -> None:
    """Store an operator task for the running bot, or the next one."""
    if (watch is None) != everything:
        exit_with_error("Name one watch, or say --all.")
    run(_retry(load_settings(config), watch))


async def _retry(settings: Settings, wanted: str | None) -> None:
    async with open_beside(settings.store.url, writes=True) as tx:
        unreachable = [watch for watch, _ in await tx.dead_letters.watches()]
        matching = [watch for watch in unreachable if wanted is None or watch.id.startswith(wanted)]
        if not matching:
            none = f"The id of no unreachable watch begins with {wanted}."
            exit_with_error("No watch is unreachable." if wanted is None else none)
        if wanted and len(matching) > 1:
            exit_with_error(
                f"{len(matching)} unreachable watches begin with {wanted}: give more of the id."
            )
        await request_retry(tx, matching[0].id if wanted else None, SystemClock().now())
    typer.echo("A running bot retries within seconds; otherwise the next one does when it starts.")


def show_status(config: Path | None) -> None:
    """Print a line for each queue and connection; exit 1 if anything is overdue."""
    run(_status(load_settings(config)))


async def _status(settings: Settings) -> None:
    async with open_beside(settings.store.url) as tx:
        known = status.stored_lines(await status.read_status(tx, SystemClock().now()))
    found = [*known, *await _live_lines(settings)]
    _print(found)
    if not all(line.ok for line in found):
        raise typer.Exit(EXIT_FAILED)


def _print(found: Sequence[StatusLine]) -> None:
    for line in found:
        typer.echo(f"{'ok' if line.ok else 'BEHIND':<7} {line.name}: {line.sentence}")


async def _live_lines(settings: Settings) -> list[StatusLine]:
    """Return the running bot's status lines, if it has an HTTP server."""
    if settings.slack.mode == "socket" and not settings.http_server.port:
        hint = "Set web.port to hear more from the running bot."
        return [status.StatusLine("bot", ok=True, sentence=hint)]
    live = await _live(settings)
    if live is None:
        sentence = "It does not answer at the address of [web]."
        return [status.StatusLine("bot", ok=False, sentence=sentence)]
    return status.live_lines(live)


async def _live(settings: Settings) -> LiveStatus | None:
    timeout = aiohttp.ClientTimeout(total=STATUS_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(status_url(settings.http_server)) as response,
        ):
            return status.parse_live(await response.json()) if response.ok else None
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError, KeyError, TypeError):
        return None
