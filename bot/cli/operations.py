"""The commands watches, retry, recover, status and backup."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path  # noqa: TC003  typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import EXIT_FAILED, Config, exit_with_error, load_settings, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.settings import Settings
    from bot.status import LiveStatus, StatusLine
    from bot.store import Watch

SHORT_ID = 8  # length of an abbreviated watch id, in characters
STATUS_SECONDS = 5.0  # timeout of the request to the running bot


def recover(
    channel: Annotated[list[str], typer.Option(help="A channel's id, such as C0123; repeatable.")],
    since: Annotated[str, typer.Option(help="How far back to search for cards: 30d, 12h.")] = "30d",
    config: Config = None,
) -> None:
    """Rebuild the watches of channels from Slack's history; the bot must not be running."""
    run(_recover(load_settings(config), channel, _parse_age(since)))


def _parse_age(text: str) -> timedelta:
    units = {"d": "days", "h": "hours"}
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or unit not in units:
        exit_with_error(f"--since {text}: write it as 30d or 12h.")
    return timedelta(**{units[unit]: int(number)})


async def _recover(settings: Settings, channels: list[str], age: timedelta) -> None:
    from bot.cli.recover import recover  # noqa: PLC0415
    from bot.sdk.clock import SystemClock  # noqa: PLC0415

    clock = SystemClock()
    for done in await recover(settings, channels, clock.now() - age, clock):
        counts = f"{done.channel}: {done.active_cards} living cards, {done.resumed} followed again."
        unknown = f" The settings have no connection {', '.join(done.unknown_connections)}."
        typer.echo(counts + (unknown if done.unknown_connections else ""))
    typer.echo("Start the bot: each thread gets a reply about what changed since its last message.")


def backup(
    file: Annotated[Path, typer.Argument(help="A new file; `cp` it back to restore it.")],
    config: Config = None,
) -> None:
    """Copy the SQLite database while the bot is running, and check the copy."""
    run(_backup(load_settings(config), file))


async def _backup(settings: Settings, file: Path) -> None:
    from bot.store.backup import backup  # noqa: PLC0415

    size = await asyncio.to_thread(backup, settings.store.url, file)
    typer.echo(f"{file} is a whole copy of the database, {size:,} bytes.")


def watches(
    parked: Annotated[  # noqa: FBT002  a flag
        bool, typer.Option("--parked", help="Only watches whose thread is unreachable.")
    ] = False,
    channel: Annotated[str | None, typer.Option(help="Only this channel's, such as C0123.")] = None,
    config: Config = None,
) -> None:
    """List the followed jobs, and the watches whose thread is unreachable."""
    run(_watches(load_settings(config), parked=parked, channel=channel))


async def _watches(settings: Settings, *, parked: bool, channel: str | None) -> None:
    from bot.store.side_session import open_beside  # noqa: PLC0415

    async with open_beside(settings.store.url) as tx:
        unreachable = await tx.dead_letters.watches(channel)
        living = [] if parked else await tx.watches.list_open(channel)
    counts = {watch.id: count for watch, count in unreachable}
    others = [watch for watch in living if watch.id not in counts]
    found = [*others, *(watch for watch, _ in unreachable)]
    for watch in sorted(found, key=lambda watch: (watch.asked_at, watch.id)):
        typer.echo(_watch_line(watch, counts.get(watch.id)))
    if not others and not unreachable:
        typer.echo("No watch is unreachable." if parked else "Nothing is followed.")


def _watch_line(watch: Watch, pending: int | None) -> str:
    requested = f"{watch.asked_at:%Y-%m-%d %H:%M} by {watch.asker}"
    line = f"{watch.id[:SHORT_ID]}  {watch.state:<7} {watch.channel:<12} {watch.ref}  {requested}"
    reason = f"{watch.reason}, " if watch.reason else ""
    return line if pending is None else f"{line}  ({reason}{pending} pending)"


def retry(
    watch: Annotated[str | None, typer.Argument(help="As `jobthread watches` shows it.")] = None,
    everything: Annotated[  # noqa: FBT002  a flag
        bool, typer.Option("--all", help="All unreachable watches.")
    ] = False,
    config: Config = None,
) -> None:
    """Retry unreachable watches; the running bot does it, or the next one that starts."""
    if (watch is None) != everything:
        exit_with_error("Name one watch, or say --all.")
    run(_retry(load_settings(config), watch))


async def _retry(settings: Settings, wanted: str | None) -> None:
    from bot.sdk.clock import SystemClock  # noqa: PLC0415
    from bot.store.side_session import open_beside  # noqa: PLC0415
    from bot.tracking.redelivery import request_retry  # noqa: PLC0415

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


def status(config: Config = None) -> None:
    """Show how far behind the bot is; exit 1 if anything is overdue."""
    run(_status(load_settings(config)))


async def _status(settings: Settings) -> None:
    from bot import status  # noqa: PLC0415
    from bot.sdk.clock import SystemClock  # noqa: PLC0415
    from bot.store.side_session import open_beside  # noqa: PLC0415

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
    from bot import status  # noqa: PLC0415

    if settings.slack.mode == "socket" and not settings.http_server.port:
        hint = "Set web.port to hear more from the running bot."
        return [status.StatusLine("bot", ok=True, sentence=hint)]
    live = await _live(settings)
    if live is None:
        sentence = "It does not answer at the address of [web]."
        return [status.StatusLine("bot", ok=False, sentence=sentence)]
    return status.live_lines(live)


async def _live(settings: Settings) -> LiveStatus | None:
    import aiohttp  # noqa: PLC0415

    from bot import status  # noqa: PLC0415
    from bot.slack.http_server import status_url  # noqa: PLC0415

    timeout = aiohttp.ClientTimeout(total=STATUS_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(status_url(settings.http_server)) as response,
        ):
            return status.parse_live(await response.json()) if response.ok else None
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError, KeyError, TypeError):
        return None
