"""The ledger: writes down, in one transaction, all that the answer to a question does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from bot import answers, cards, looks, told
from bot.agreements import Agreement, conclude
from bot.asks import Kind
from bot.following import Following, Look
from bot.outlet import MAY_PASS
from bot.parts import Adopt, Agree, Part, Redraw, Say, Show, Stop
from bot.posts import card, new_watch, quiet_watch, reaction, root
from bot.store import (
    Claim,
    NewPost,
    Post,
    PostKind,
    Question,
    Store,
    Transaction,
    Watch,
    WatchState,
)
from bot.words import REACTIONS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from bot.asks import Ask
    from bot.clock import Clock
    from bot.connections import Connections
    from bot.home import Home
    from bot.models import Change, Job, JobRef, Message


class Sender(Protocol):
    """Who delivers messages, as the ledger sees it."""

    def reserve(self, post: NewPost, now: datetime) -> Claim | None:
        """Return a claim for a message that is about to be written down, if it may be sent now."""
        ...

    def send(self, post: Post) -> None:
        """Send a message that was written down as claimed."""
        ...

    def ring(self) -> None:
        """Look for messages that wait."""
        ...


@dataclass
class Entry:
    """What is being written: the question, the asker's deed, and when; and what comes of it."""

    question: Question
    ask: Ask
    at: datetime
    alone: bool = True  # whether one job is shown, not several
    claimed: list[Post] = field(default_factory=list)  # to be sent at once
    due: list[tuple[str, datetime]] = field(default_factory=list)  # connection, the next look
    changes: list[Change] = field(default_factory=list)  # that the threads are told
    rings: bool = False  # whether something is left for the delivery's next tick
    retells: bool = False  # whether what is held may have another time now

    @property
    def workspace(self) -> str:
        """The workspace that the question came from."""
        return self.question.workspace


class Ledger:
    """Writes answers down; a question that somebody else has closed is left alone."""

    def __init__(
        self,
        *,
        store: Store,
        connections: Connections,
        following: Following,
        clock: Clock,
        home: Home,
        sender: Sender,
        expect: Callable[[str, datetime], None],
        announce: Callable[[Change], Awaitable[None]],
        retell: Callable[[], None] = lambda: None,
    ) -> None:
        self._retell = retell  # is told when what is held may have another time
        self._sender = sender
        self._announce = announce  # is told what a look that was not the poller's found changed
        self._expect = expect  # is told when a connection's next look is due
        self._store = store
        self._connections = connections
        self._following = following
        self._clock = clock
        self._home = home

    async def commit(self, question: Question, ask: Ask, parts: list[Part]) -> None:
        """Close the question and do all the parts of its answer, or nothing."""
        alone = sum(isinstance(part, Show) for part in parts) == 1
        entry = Entry(question, ask, self._clock.now(), alone)
        async with self._store.begin() as tx:
            if not await tx.inbox.close(question.id, entry.at):
                return  # another process answered it meanwhile
            for n, part in enumerate(parts):
                await self._write(tx, entry, part, str(n))
        self._set_off(entry)
        for change in entry.changes:
            await self._announce(change)

    async def say(self, question: Question, ask: Ask, said: Say, key: str) -> None:
        """Tell the asker something while the question stays open."""
        entry = Entry(question, ask, self._clock.now())
        async with self._store.begin() as tx:
            await self._say(tx, entry, said, key)
        self._set_off(entry)

    def _set_off(self, entry: Entry) -> None:
        """Begin what was written down."""
        for post in entry.claimed:
            self._sender.send(post)
        if entry.rings:
            self._sender.ring()
        if entry.retells:
            self._retell()
        for connection, due_at in entry.due:
            self._expect(connection, due_at)

    async def _write(self, tx: Transaction, entry: Entry, part: Part, key: str) -> None:
        match part:
            case Say():
                await self._say(tx, entry, part, key)
            case Show(job, known):
                if known != 0 and not job.status.terminal:
                    job = await self._seen(tx, entry, job, known)
                await self._begin(tx, entry, job, key)
            case Adopt(job, card_ts, known):
                newest = await self._seen(tx, entry, job, known)
                await self._adopt(tx, entry, newest, card_ts)
            case Redraw(job, card_ts, known):
                newest = await self._seen(tx, entry, job, known)
                await self._redraw(tx, entry, newest, card_ts)
            case Stop(ref):
                await self._stop(tx, entry, ref, key)
            case Agree():
                await self._agree(tx, entry, part, key)

    async def _show(self, tx: Transaction, entry: Entry, job: Job, key: str) -> None:
        message = self._card(job, cards.View(checked_at=entry.at))
        body = {"message": message.model_dump(), **entry.ask.way_back()}
        await self._add(tx, entry, _post(entry, PostKind.POST, body, key))

    async def _begin(self, tx: Transaction, entry: Entry, job: Job, key: str) -> None:
        """Follow a job from a card of its own, unless it ended while it was being looked at."""
        if entry.alone and entry.ask.said_ts and await self._reacts(tx, entry):
            await self._react(tx, entry, job, key)
        elif job.status.terminal:
            await self._show(tx, entry, job, key)
        else:
            await self._follow(tx, entry, new_watch(entry.ask, entry.workspace, job), job)

    async def _follow(self, tx: Transaction, entry: Entry, watch: Watch, job: Job) -> None:
        """Begin to follow a job; what is newly seen of it was told in its other threads first."""
        if other := await self._rival(tx, entry, watch):
            await self._say(tx, entry, followed_already(self._home, other), watch.id)
            return
        due = self._following.next_due(job, entry.at) or entry.at
        tracked = await tx.jobs.track(entry.workspace, job, due_at=due, now=entry.at)
        entry.due.append((job.ref.connection, due))
        job = tracked.seen or job  # where another look was written down meanwhile, that one holds
        if job.status.terminal:
            await self._late(tx, entry, watch, job)
            return
        message = self._card(job, self._following.view(watch, job, entry.at))
        about = told.by_card(watch, tracked.seen, tracked.revision, over=False)
        if watch.card_ts is None:
            await self._add(tx, entry, root(watch, message, entry.ask, entry.at, about))
        else:
            await self._replace(tx, entry, card(watch, message, entry.at, about, urgent=True))

    async def _reacts(self, tx: Transaction, entry: Entry) -> bool:
        """Whether the channel wants a reaction instead of a card."""
        notices, channel = self._following.notices, entry.ask.channel
        return (await notices.contract(tx, entry.workspace, channel)).policy.reaction

    async def _react(self, tx: Transaction, entry: Entry, job: Job, key: str) -> None:
        """Tell a job's state on the message that asked for it, and follow it from there."""
        watch = quiet_watch(entry.ask, entry.workspace, job)
        names = [REACTIONS[job.status]]
        if not job.status.terminal:
            if other := await self._rival(tx, entry, watch):
                await self._say(tx, entry, followed_already(self._home, other), watch.id)
                return
            due = self._following.next_due(job, entry.at) or entry.at
            await tx.jobs.track(entry.workspace, job, due_at=due, now=entry.at)
            entry.due.append((job.ref.connection, due))
        reason = f"asked for by {entry.ask.user}"
        await self._add(tx, entry, reaction(watch, f"begun:{key}", names, entry.at, reason=reason))

    async def _late(self, tx: Transaction, entry: Entry, watch: Watch, job: Job) -> None:
        """Show a job that has ended in its other threads while it was being looked at."""
        await tx.watches.end([watch.id], now=entry.at, reason="the job ended")
        await tx.jobs.settle(entry.workspace, [job.ref])
        await self._show(tx, entry, job, watch.id)

    async def _adopt(self, tx: Transaction, entry: Entry, job: Job, card_ts: str) -> None:
        """Follow a job from a card that stands; one that has ended meanwhile is only drawn anew."""
        if job.status.terminal:
            await self._redraw(tx, entry, job, card_ts)
            return
        watch = new_watch(entry.ask, entry.workspace, job, card_ts=card_ts)
        await self._follow(tx, entry, watch, job)

    async def _rival(self, tx: Transaction, entry: Entry, watch: Watch) -> Watch | None:
        """Begin a watch, and return None, or the one that follows its job here already.

        One that is parked for good, as when its card was deleted, makes room.
        """
        if await tx.watches.add(watch):
            return None
        other = await tx.watches.find(entry.workspace, watch.channel, watch.ref)
        if other is None or other.state is WatchState.ACTIVE or other.reason in MAY_PASS:
            return other or watch
        await tx.watches.end([other.id], now=entry.at, reason="asked for anew")
        await tx.parked.drop(await tx.parked.messages(other), entry.at)
        return None if await tx.watches.add(watch) else watch

    async def _seen(self, tx: Transaction, entry: Entry, job: Job, known: int | None) -> Job:
        """Write down a look that was not the poller's, if the job is followed anywhere.

        Return the job as it is known now: where another look was written down meanwhile, nobody
        can tell which is the newer, so that one holds until the next.
        """
        tracked = (await tx.jobs.get(entry.workspace, [job.ref])).get(job.ref)
        if tracked is None:
            return job
        if known not in (None, tracked.revision) and tracked.seen is not None:
            return tracked.seen
        provider = self._connections.get(job.ref.connection)
        looked = [Look(tracked, job, entry.at)]
        entry.changes += await self._following.write(tx, provider, looked)
        entry.rings = True
        return job

    async def _redraw(self, tx: Transaction, entry: Entry, job: Job, card_ts: str) -> None:
        watch = await tx.watches.by_card(entry.workspace, entry.ask.channel, card_ts)
        if watch is not None:
            message = self._card(job, self._following.view(watch, job, entry.at))
            about = await _about(tx, watch)
            await self._replace(tx, entry, card(watch, message, entry.at, about, urgent=True))
            return
        message = self._card(job, cards.View(checked_at=entry.at))
        body = {"message": message.model_dump(), "ts": card_ts}
        await self._add(tx, entry, _post(entry, PostKind.UPDATE, body, "update"))

    async def _stop(self, tx: Transaction, entry: Entry, ref: JobRef, key: str) -> None:
        watch = await tx.watches.find(entry.workspace, entry.ask.channel, ref)
        if watch is None:
            await self._say(tx, entry, Say(answers.not_followed(str(ref))), key)
            return
        await tx.watches.end([watch.id], now=entry.at, reason=f"stopped by {entry.ask.user}")
        tracked = (await tx.jobs.get(entry.workspace, [ref])).get(ref)
        if tracked is not None and tracked.seen is not None and not watch.cardless:
            view = cards.View(checked_at=tracked.checked_at or entry.at)
            about = told.by_card(watch, tracked.seen, tracked.revision, over=True)
            message = self._card(tracked.seen, view)
            await self._replace(tx, entry, card(watch, message, entry.at, about, urgent=True))
        await tx.parked.drop(await tx.parked.messages(watch), entry.at)
        await tx.jobs.settle(entry.workspace, [ref])
        await self._say(tx, entry, Say(answers.no_longer_followed(str(ref))), key)

    async def _agree(self, tx: Transaction, entry: Entry, part: Agree, key: str) -> None:
        """Change what the channel hears, and with it what becomes of all that is held there."""
        ask = entry.ask
        agreement = Agreement(entry.workspace, ask.channel, ask.user, part, entry.at)
        said = await conclude(tx, self._following.notices, agreement)
        await self._say(tx, entry, Say(said), key)
        entry.rings = entry.retells = True

    async def _say(self, tx: Transaction, entry: Entry, said: Say, key: str) -> None:
        """Tell the asker alone; in a direct message everything is for the asker alone."""
        ask = entry.ask
        body = {
            **ask.way_back(),
            "message": said.message.model_dump() if said.message else None,
            "replace": said.replace,
            "delete": said.delete,
        }
        kind = PostKind.POST if ask.kind is Kind.DIRECT else PostKind.EPHEMERAL
        await self._add(tx, entry, _post(entry, kind, body, key))

    async def _add(self, tx: Transaction, entry: Entry, post: NewPost) -> None:
        """Write down the first message of a thread, to be sent at once if that may be."""
        claim = self._sender.reserve(post, entry.at)
        if claim is None:
            await tx.outbox.add([post], entry.at)
            entry.rings = True
        elif claimed := await tx.outbox.add_claimed(post, claim, entry.at):
            entry.claimed.append(claimed)

    async def _replace(self, tx: Transaction, entry: Entry, post: NewPost) -> None:
        await tx.outbox.replace(post, entry.at)
        entry.rings = True

    def _card(self, job: Job, view: cards.View) -> Message:
        return looks.card(self._connections.get(job.ref.connection), job, view)


async def _about(tx: Transaction, watch: Watch) -> told.About:
    """Return what the card of a watch carries."""
    tracked = (await tx.jobs.get(watch.workspace, [watch.ref])).get(watch.ref)
    seen, revision = (tracked.seen, tracked.revision) if tracked else (None, 0)
    return told.by_card(watch, seen, revision, over=watch.state is WatchState.ENDED)


def followed_already(home: Home, watch: Watch) -> Say:
    """Return where the living card of a watch is."""
    link = home.link(watch.channel, watch.card_ts or watch.said_ts, watch.thread_ts)
    return Say(answers.already_followed(str(watch.ref), link))


def _post(entry: Entry, kind: PostKind, body: dict[str, Any], key: str) -> NewPost:
    """Return a message outside every watch; its key is the question's and its part's."""
    name = f"{entry.question.key}:{key}"
    return NewPost(
        key=name,
        workspace=entry.workspace,
        channel=entry.ask.channel,
        thread=name,
        kind=kind,
        body=body,
        urgent=True,
        due_at=entry.at,
        reason=f"asked for by {entry.ask.user}",
    )
