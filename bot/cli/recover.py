"""Rebuilds watches from the metadata of the bot's messages in Slack (`jobthread recover`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import typer
from pydantic import ValidationError

from bot.cli.options import exit_with_error
from bot.cli.runtime import load_settings, run
from bot.delivery import message_metadata
from bot.delivery.messages import thread_reply
from bot.providers.renderer import JobRenderer
from bot.sdk.clock import Clock, SystemClock
from bot.sdk.errors import SettingsError
from bot.sdk.models import Job, JobRef
from bot.slack.client import client_session, connect, web_client
from bot.slack.history import History
from bot.slack.web_api import EVENT_TYPE, WebApiTransport
from bot.store import Board, BoardKind, Store, Watch, WatchState
from bot.tracking import job_changes
from bot.tracking.job_updates import JobUpdates
from bot.tracking.presentation import presentation_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bot.settings import Settings
    from bot.slack.history import SlackMessage
    from bot.store import Transaction

Payload = Mapping[str, Any]


def run_recover(channel: list[str], since: str, config: Path | None) -> None:
    """Recover the watches of channels and print a line for each channel."""
    run(_print_recovery(load_settings(config), channel, _parse_age(since)))


def _parse_age(text: str) -> timedelta:
    units = {"d": "days", "h": "hours"}
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or unit not in units:
        exit_with_error(f"--since {text}: write it as 30d or 12h.")
    return timedelta(**{units[unit]: int(number)})


async def _print_recovery(settings: Settings, channels: list[str], age: timedelta) -> None:
    clock = SystemClock()
    for done in await recover(settings, channels, clock.now() - age, clock):
        counts = f"{done.channel}: {done.active_cards} living cards, {done.resumed} followed again."
        unknown = f" The settings have no connection {', '.join(done.unknown_connections)}."
        typer.echo(counts + (unknown if done.unknown_connections else ""))
    typer.echo("Start the bot: each thread gets a reply about what changed since its last message.")


@dataclass(frozen=True)
class RecoverableWatch:
    """A watch read from a card, and the job state that its thread has seen."""

    watch: Watch
    metadata: Payload
    job: Job
    ended: bool = False  # the thread has seen the end; kept only as a row of a board

    @property
    def revision(self) -> int:
        """The revision of the job that the thread has seen."""
        return int(self.metadata.get("revision") or 0)


@dataclass(frozen=True)
class RecoveryResult:
    """The result for one channel."""

    channel: str
    active_cards: int  # cards whose thread has not seen the job's end
    resumed: int  # watches that were added to the store
    unknown_connections: tuple[str, ...] = ()  # connections missing from the settings


async def recover(
    settings: Settings, channels: Sequence[str], since: datetime, clock: Clock
) -> list[RecoveryResult]:
    """Rebuild the watches of active cards; no other process may use the store meanwhile."""
    if problems := settings.slack.problems():
        raise SettingsError(problems)
    store = Store(settings.store.url)
    await store.open()
    try:
        async with client_session() as session:
            client = web_client(settings, session)
            identity = await connect(client, clock)
            outlet = WebApiTransport(client, session, clock)
            history = History(outlet, clock, str(identity.get("user_id", "")))
            workspace = str(identity.get("team_id", ""))
            found = {c: await _read(history, workspace, c, since) for c in channels}
        return await _store(store, settings, found, clock.now())
    finally:
        await store.close()


async def _read(
    history: History, workspace: str, channel: str, since: datetime
) -> list[RecoverableWatch]:
    return [
        card
        async for thread in history.threads(channel, since)
        for card in find_recoverable(workspace, channel, thread)
    ]


def find_active(
    workspace: str, channel: str, thread: Sequence[SlackMessage]
) -> list[RecoverableWatch]:
    """Return the cards of a thread that has not seen their job's end. Pure."""
    return [card for card in _cards(workspace, channel, thread) if not card.ended]


def find_recoverable(
    workspace: str, channel: str, thread: Sequence[SlackMessage]
) -> list[RecoverableWatch]:
    """Return the active cards of a thread, and all rows of boards with an active one. Pure."""
    found = _cards(workspace, channel, thread)
    boards = {card.watch.board_id for card in found if not card.ended} - {None}
    return [card for card in found if not card.ended or card.watch.board_id in boards]


def _cards(workspace: str, channel: str, thread: Sequence[SlackMessage]) -> list[RecoverableWatch]:
    """Return the cards of a thread; a board gives one card per row."""
    payloads = [(sent, payload) for sent in thread for payload in _payloads(sent)]
    found: list[RecoverableWatch] = []
    for sent, payload in payloads:
        if not payload.get("card") or payload.get("workspace") != workspace:
            continue
        abouts = [other for _, other in payloads if other.get("watch") == payload.get("watch")]
        if card := _parse_card(workspace, channel, sent, payload, message_metadata.latest(abouts)):
            ended = any(about.get("over") for about in abouts)
            found.append(_as_ended(card) if ended else card)
    return found


def _as_ended(card: RecoverableWatch) -> RecoverableWatch:
    at = card.watch.requested_at
    watch = replace(card.watch, state=WatchState.ENDED, ended_at=at, reason="ended before the loss")
    return replace(card, watch=watch, ended=True)


def _payloads(sent: SlackMessage) -> list[Payload]:
    metadata = sent.get("metadata") or {}
    payload = metadata.get("event_payload")
    if metadata.get("event_type") != EVENT_TYPE or not isinstance(payload, Mapping):
        return []
    return [
        card
        for card in message_metadata.split_by_watch(payload)
        if isinstance(card.get("watch"), str)
    ]


def _parse_card(
    workspace: str, channel: str, sent: SlackMessage, payload: Payload, about: Payload | None
) -> RecoverableWatch | None:
    """Return the watch of a card; None if its metadata is not understood."""
    try:
        ref = JobRef(connection=payload["connection"], id=payload["job"])
        job = message_metadata.job_from_metadata(ref, about) if about else None
    except (KeyError, ValidationError):
        return None
    if job is None or about is None:
        return None
    thread_ts = sent.get("thread_ts")
    watch = Watch(
        id=str(payload["watch"]),
        workspace=workspace,
        channel=channel,
        thread_ts=thread_ts if thread_ts != sent["ts"] else None,
        card_ts=sent["ts"],
        ref=ref,
        asker=str(payload.get("asker", "")),
        requested_at=datetime.fromtimestamp(float(sent["ts"]), UTC),
        board_id=payload.get("board"),
    )
    return RecoverableWatch(watch, about, job)


async def _store(
    store: Store, settings: Settings, found: Mapping[str, list[RecoverableWatch]], now: datetime
) -> list[RecoveryResult]:
    """Store all channels in one transaction: a job has one row for all its channels."""
    all_cards = [card for cards in found.values() for card in cards]
    known = [card for card in all_cards if card.watch.ref.connection in settings.connections]
    resumed: Counter[str] = Counter()
    async with store.begin() as tx:
        new = [card for card in known if await tx.watches.add(card.watch)]
        await _restore_boards(tx, new)
        active = [card for card in new if not card.ended]
        resumed.update(card.watch.channel for card in active)
        for cards in _by_job(active).values():
            await _restore_job(tx, cards, JobUpdates(settings.follow.poll_seconds), now)
        for card in new:  # of an ended watch, only the job's row is kept
            await tx.jobs.track(card.watch.workspace, card.job, due_at=None, now=now)
    return [
        RecoveryResult(channel, _count_active(cards), resumed[channel], _unknown(cards, settings))
        for channel, cards in found.items()
    ]


async def _restore_job(
    tx: Transaction, cards: Sequence[RecoverableWatch], job_updates: JobUpdates, now: datetime
) -> None:
    """Store the newest state that any thread has seen; send it to the threads behind."""
    newest = max(cards, key=lambda card: card.revision)
    workspace = newest.watch.workspace
    revision = max(1, newest.revision)
    await tx.jobs.track(workspace, newest.job, due_at=now, now=now, revision=revision)
    for card in cards:
        change = job_changes.diff(card.job, newest.job)
        if change is not None:
            renderer = job_updates.renderer(JobRenderer())
            context = renderer.context(card.watch, newest.job, now)
            reply = renderer.thread_reply(change, context)
            message = presentation_of(card.watch).heading(newest.job.name, reply)
            metadata = message_metadata.for_reply(card.watch, newest.job, revision)
            reason = "the thread lagged behind when the database was lost"
            post = thread_reply(
                card.watch, str(revision), message, now, metadata=metadata, reason=reason
            )
            await tx.outbox.add([post], now)


def _count_active(cards: Iterable[RecoverableWatch]) -> int:
    return sum(not card.ended for card in cards)


async def _restore_boards(tx: Transaction, cards: Iterable[RecoverableWatch]) -> None:
    """Store the boards of these cards."""
    for watch in {card.watch.board_id: card.watch for card in cards}.values():
        if watch.board_id and await tx.boards.get(watch.board_id) is None:
            await tx.boards.add(_board(watch, watch.board_id))


def _board(watch: Watch, id_: str) -> Board:
    """Return the board whose message is the watch's card."""
    return Board(
        id=id_,
        workspace=watch.workspace,
        channel=watch.channel,
        kind=BoardKind.BOARD,
        asker=watch.asker,
        thread_ts=watch.thread_ts,
        message_ts=watch.card_ts,
        opened_at=watch.requested_at,
    )


def _by_job(cards: Iterable[RecoverableWatch]) -> dict[JobRef, list[RecoverableWatch]]:
    jobs: dict[JobRef, list[RecoverableWatch]] = {}
    for card in cards:
        jobs.setdefault(card.watch.ref, []).append(card)
    return jobs


def _unknown(cards: Iterable[RecoverableWatch], settings: Settings) -> tuple[str, ...]:
    names = {card.watch.ref.connection for card in cards}
    return tuple(sorted(names - settings.connections.keys()))
