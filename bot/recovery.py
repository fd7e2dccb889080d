"""`jobthread recover`: the watches of channels, rebuilt from what the bot's messages carry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bot import lifecycle, told
from bot.cards.boardcards import headed
from bot.errors import SettingsError
from bot.following import Following
from bot.models import Job, JobRef
from bot.posts import reply
from bot.providers import looks
from bot.slack.client import client_session, greet, web_client
from bot.slack.history import History
from bot.slack.outgoing import EVENT_TYPE, WebOutlet
from bot.store import Board, BoardKind, Store, Watch, WatchState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.clock import Clock
    from bot.settings import Settings
    from bot.slack.history import Sent
    from bot.store import Transaction

Payload = Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """A card: the watch that it stands for, and what its thread knows of the job."""

    watch: Watch
    about: Payload
    job: Job
    over: bool = False  # the thread was told the end: only a row of a board is left to show

    @property
    def revision(self) -> int:
        """How many looks the thread knows of."""
        return int(self.about.get("revision") or 0)


@dataclass(frozen=True)
class Recovered:
    """What became of one channel's cards."""

    channel: str
    living: int  # cards whose thread did not hear of the end
    begun: int  # watches that are followed again
    strange: tuple[str, ...] = ()  # connections that the settings do not have


async def recover(
    settings: Settings, channels: Sequence[str], since: datetime, clock: Clock
) -> list[Recovered]:
    """Follow again what living cards promise; the store must be nobody else's meanwhile."""
    if problems := settings.slack.problems():
        raise SettingsError(problems)
    store = Store(settings.store.url)
    await store.open()
    try:
        async with client_session() as session:
            client = web_client(settings, session)
            identity = await greet(client, clock)
            outlet = WebOutlet(client, session, clock)
            history = History(outlet, clock, str(identity.get("user_id", "")))
            workspace = str(identity.get("team_id", ""))
            found = {c: await _read(history, workspace, c, since) for c in channels}
        return await _write(store, settings, found, clock.now())
    finally:
        await store.close()


async def _read(history: History, workspace: str, channel: str, since: datetime) -> list[Found]:
    return [
        one
        async for thread in history.threads(channel, since)
        for one in unfinished(workspace, channel, thread)
    ]


def living(workspace: str, channel: str, thread: Sequence[Sent]) -> list[Found]:
    """Return the cards of a thread that were not told the end of their job. Pure."""
    return [one for one in _cards(workspace, channel, thread) if not one.over]


def unfinished(workspace: str, channel: str, thread: Sequence[Sent]) -> list[Found]:
    """Return the living cards of a thread, and all rows of boards with a living one. Pure."""
    found = _cards(workspace, channel, thread)
    boards = {one.watch.board_id for one in found if not one.over} - {None}
    return [one for one in found if not one.over or one.watch.board_id in boards]


def _cards(workspace: str, channel: str, thread: Sequence[Sent]) -> list[Found]:
    """Return the cards of a thread; a board is as many cards as it has rows."""
    carried = [(sent, payload) for sent in thread for payload in _payloads(sent)]
    found: list[Found] = []
    for sent, payload in carried:
        if not payload.get("card") or payload.get("workspace") != workspace:
            continue
        abouts = [other for _, other in carried if other.get("watch") == payload.get("watch")]
        if one := _found(workspace, channel, sent, payload, told.latest(abouts)):
            over = any(about.get("over") for about in abouts)
            found.append(_over(one) if over else one)
    return found


def _over(one: Found) -> Found:
    at = one.watch.asked_at
    watch = replace(one.watch, state=WatchState.ENDED, ended_at=at, reason="over before the loss")
    return replace(one, watch=watch, over=True)


def _payloads(sent: Sent) -> list[Payload]:
    metadata = sent.get("metadata") or {}
    payload = metadata.get("event_payload")
    if metadata.get("event_type") != EVENT_TYPE or not isinstance(payload, Mapping):
        return []
    return [card for card in told.cards_of(payload) if isinstance(card.get("watch"), str)]


def _found(
    workspace: str, channel: str, sent: Sent, payload: Payload, about: Payload | None
) -> Found | None:
    """Return the watch that a card stands for; None: what it carries is not understood."""
    try:
        ref = JobRef(connection=payload["connection"], id=payload["job"])
        job = told.job_of(ref, about) if about else None
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
        asked_at=datetime.fromtimestamp(float(sent["ts"]), UTC),
        board_id=payload.get("board"),
    )
    return Found(watch, about, job)


async def _write(
    store: Store, settings: Settings, found: Mapping[str, list[Found]], now: datetime
) -> list[Recovered]:
    """Write all channels down at once: a job has one row, in however many it is followed."""
    everything = [one for ones in found.values() for one in ones]
    known = [one for one in everything if one.watch.ref.connection in settings.connections]
    begun: Counter[str] = Counter()
    async with store.begin() as tx:
        new = [one for one in known if await tx.watches.add(one.watch)]
        await _restore_boards(tx, new)
        alive = [one for one in new if not one.over]
        begun.update(one.watch.channel for one in alive)
        for ones in _by_job(alive).values():
            await _restore(tx, ones, Following(settings.follow.poll_seconds), now)
        for one in new:  # of what is over, the row is all that is kept
            await tx.jobs.track(one.watch.workspace, one.job, due_at=None, now=now)
    return [
        Recovered(channel, _alive(ones), begun[channel], _strange(ones, settings))
        for channel, ones in found.items()
    ]


async def _restore(
    tx: Transaction, ones: Sequence[Found], following: Following, now: datetime
) -> None:
    """Write down the job as the best-informed thread knows it, and tell that to the others."""
    best = max(ones, key=lambda one: one.revision)
    workspace = best.watch.workspace
    revision = max(1, best.revision)
    await tx.jobs.track(workspace, best.job, due_at=now, now=now, revision=revision)
    for one in ones:
        change = lifecycle.compare(one.job, best.job)
        if change is not None:
            view = following.view(one.watch, best.job, now)
            message = looks.follow_up(None, change, view)
            message = headed(best.job.name, message) if one.watch.board_id else message
            about = told.by_follow_up(one.watch, best.job, revision)
            why = "the thread lagged behind when the database was lost"
            post = reply(one.watch, str(revision), message, now, about=about, reason=why)
            await tx.outbox.add([post], now)


def _alive(ones: Iterable[Found]) -> int:
    return sum(not one.over for one in ones)


async def _restore_boards(tx: Transaction, ones: Iterable[Found]) -> None:
    """Write down the boards that these are rows of."""
    for watch in {one.watch.board_id: one.watch for one in ones}.values():
        if watch.board_id and await tx.boards.get(watch.board_id) is None:
            await tx.boards.add(_board(watch, watch.board_id))


def _board(watch: Watch, id_: str) -> Board:
    """Return the board whose message is a watch's card."""
    return Board(
        id=id_,
        workspace=watch.workspace,
        channel=watch.channel,
        kind=BoardKind.BOARD,
        asker=watch.asker,
        thread_ts=watch.thread_ts,
        message_ts=watch.card_ts,
        opened_at=watch.asked_at,
    )


def _by_job(ones: Iterable[Found]) -> dict[JobRef, list[Found]]:
    jobs: dict[JobRef, list[Found]] = {}
    for one in ones:
        jobs.setdefault(one.watch.ref, []).append(one)
    return jobs


def _strange(ones: Iterable[Found], settings: Settings) -> tuple[str, ...]:
    names = {one.watch.ref.connection for one in ones}
    return tuple(sorted(names - settings.connections.keys()))
