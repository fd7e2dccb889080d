"""How silent threads come back: once an hour, when their channel is heard, or when told to.

To try is to post: the watch goes on, and one follow-up tells what happened meanwhile. If Slack
refuses that as well, the watch is parked again, and nobody is told a second time.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot import told
from bot.boards import boards
from bot.clock import Bell, Clock
from bot.delivery.gaps import Gap, bodies_of_replies, follow_up, sign
from bot.delivery.outlet import MAY_PASS
from bot.following import Following, Look
from bot.models import Job
from bot.noise.decision import Decision, Happening, News, decide
from bot.posts import card
from bot.providers import looks
from bot.store import Watch, WatchState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bot.errors import JobthreadError
    from bot.providers.connections import Connections
    from bot.store import Post, Question, Store, Transaction, WatchedJob

log = logging.getLogger(__name__)

OPERATOR = "operator"  # the kind of question that `jobthread retry` leaves in the inbox
PAUSE_SECONDS = 60.0  # between looks at what is parked
PATIENCE = timedelta(hours=1)  # between tries of a channel that nobody is heard in

Place = tuple[str, str]  # workspace, channel
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass
class Scout:
    """The one thread of a channel that is tried for all of them."""

    tried_at: datetime
    watch: Watch | None = None  # None: nothing was tried yet


class Revival:
    """Tries parked watches again."""

    def __init__(
        self,
        *,
        store: Store,
        connections: Connections,
        following: Following,
        clock: Clock,
        ring: Callable[[], None],
        expect: Callable[[str, datetime], None],
    ) -> None:
        self._store = store
        self._connections = connections
        self._following = following
        self._clock = clock
        self._ring = ring
        self._expect = expect  # is told when a connection's next look is due
        self._bell = Bell(clock)
        self._heard: dict[Place, datetime] = {}  # when, since the last tick
        self._scouts: dict[Place, Scout] = {}
        self._silent: set[Place] = set()  # as of the last tick

    def heard(self, workspace: str, channel: str) -> None:
        """Note that a channel lives: somebody asked something there."""
        self._heard[workspace, channel] = self._clock.now()
        if (workspace, channel) in self._silent:
            self._bell.ring()

    def close(self) -> None:
        """Let the tick end."""
        self._bell.ring()

    async def tick(self) -> float:
        """Try what may be tried again; return the seconds until the next tick."""
        heard, self._heard = self._heard, {}
        now = self._clock.now()
        async with self._store.begin() as tx:
            parked = [watch for watch, _ in await tx.parked.watches()]
            passing = [w for w in parked if await _may_pass(tx, w)]
            places = _by_place(passing)
            alive = {place for place in self._scouts if await self._is_alive(tx, place, parked)}
        for place in self._scouts.keys() - places.keys():
            del self._scouts[place]
        for place, watches in places.items():
            lives = place in alive or heard.get(place, _NEVER) > _since(watches)
            await self.revive(self._chosen(place, watches, now, alive=lives))
        self._silent = set(places)
        await self._bell.wait(PAUSE_SECONDS)
        return 0.0

    async def errand(self, question: Question) -> None:
        """Do what `jobthread retry` left in the inbox: one watch, or all."""
        wanted = question.body.get("watch")
        async with self._store.begin() as tx:
            parked = [watch for watch, _ in await tx.parked.watches()]
        await self.revive([watch for watch in parked if wanted in (None, watch.id)])
        async with self._store.begin() as tx:
            await tx.inbox.close(question.id, self._clock.now())

    async def revive(self, watches: Iterable[Watch]) -> None:
        """Let these watches go on, each with one follow-up that tells what it missed."""
        for watch in watches:
            found = await self._look(watch) if watch.state is WatchState.PARKED else None
            async with self._store.begin() as tx:
                await self._write(tx, watch, found)
            log.info("watch %s is tried again: %s", watch.id, watch.reason)
            self._ring()
            self._expect(watch.ref.connection, self._clock.now())

    def _chosen(
        self, place: Place, watches: Sequence[Watch], now: datetime, *, alive: bool
    ) -> Sequence[Watch]:
        """Return what is tried now: all where somebody was heard, else one for all, at times."""
        if alive:
            self._scouts.pop(place, None)
            return watches
        scout = self._scouts.setdefault(place, Scout(_since(watches)))
        if timedelta() <= now - scout.tried_at < PATIENCE:  # less than nothing: the clock was set
            return []
        self._scouts[place] = Scout(now, watches[0])
        return watches[:1]

    async def _is_alive(self, tx: Transaction, place: Place, parked: Sequence[Watch]) -> bool:
        """Whether Slack took what the place's scout had to say."""
        watch = self._scouts[place].watch
        if watch is None or any(watch.id == other.id for other in parked):
            return False
        return not await tx.parked.unsent(watch)

    async def _look(self, watch: Watch) -> Job | JobthreadError | None:
        provider = self._connections.get(watch.ref.connection)
        if provider is None:
            return None
        return (await looks.look(provider, [watch.ref]))[watch.ref]

    async def _write(
        self, tx: Transaction, watch: Watch, found: Job | JobthreadError | None
    ) -> None:
        """Let one watch go on, in one transaction; what a look found others hear of as well."""
        now = self._clock.now()
        watch = await tx.watches.get(watch.id) or watch
        tracked = await self._tracked(tx, watch, found, now)
        posts = await tx.parked.messages(watch)
        gap = await _gap(tx, watch, posts, tracked)
        if watch.state is WatchState.PARKED and not await tx.watches.revive(watch.id):
            return
        if gap.items or (gap.unknown and not watch.cardless):
            name = tracked.seen.name if tracked and tracked.seen else str(watch.ref)
            outcome = await self._outcome(tx, watch, gap.unknown, now)
            await tx.outbox.add([follow_up(gap, name, outcome, now)], now)
        if watch.cardless and gap.signs_wanted:
            await tx.outbox.add([sign(gap, now)], now)
        told_otherwise = [*gap.replies, *gap.signs]
        await tx.parked.drop(told_otherwise, now)
        await tx.parked.again([p for p in posts if p not in told_otherwise], now)
        if tracked is not None and tracked.seen is not None:
            await self._go_on(tx, watch, tracked.seen, now)

    async def _outcome(
        self, tx: Transaction, watch: Watch, job: Job | None, now: datetime
    ) -> Decision | None:
        """Return how the channel would hear of a job's end; None: it has not ended unheard."""
        if job is None or not job.status.terminal:
            return None
        policy, context = await self._following.notices.surroundings(
            tx, watch.workspace, watch.channel, watch.ref.connection, job.family, now
        )
        return decide(policy, News(happening=Happening.OUTCOME, bad=job.status.bad), context)

    async def _tracked(
        self, tx: Transaction, watch: Watch, found: Job | JobthreadError | None, now: datetime
    ) -> WatchedJob | None:
        """Write down a look that was answered, and return the job as it is known now."""
        before = (await tx.jobs.get(watch.workspace, [watch.ref])).get(watch.ref)
        if before is None or not isinstance(found, Job):
            return before
        provider = self._connections.get(watch.ref.connection)
        await self._following.write(tx, provider, [Look(before, found, now)])
        return (await tx.jobs.get(watch.workspace, [watch.ref]))[watch.ref]

    async def _go_on(self, tx: Transaction, watch: Watch, job: Job, now: datetime) -> None:
        """Draw the card anew; the job is looked at again, or the watch ends with it."""
        provider = self._connections.get(watch.ref.connection)
        if watch.state is WatchState.PARKED and job.status.terminal:
            await tx.watches.end([watch.id], now=now, reason="the job ended")
        elif watch.state is WatchState.PARKED:
            await tx.jobs.wake(watch.workspace, watch.ref, due_at=now)
        if watch.board_id:
            await boards.redraw(tx, watch.board_id, now, again=True)
        if watch.board_id or watch.cardless:
            return
        current = await tx.watches.get(watch.id) or watch
        message = looks.card(provider, job, self._following.view(current, job, now))
        # It goes on carrying what it carried: what the thread missed is still on its way.
        update = card(watch, message, now, about={})
        update.body["again"] = True
        await tx.outbox.replace(update, now)


async def order(tx: Transaction, watch_id: str | None, now: datetime) -> None:
    """Leave in the inbox that a watch, or all that is parked, is to be tried again."""
    await tx.inbox.add(
        workspace="",  # of no workspace: nobody in Slack asked
        key=f"{OPERATOR}:{uuid.uuid4().hex}",
        kind=OPERATOR,
        body={"watch": watch_id},
        now=now,
        lease_until=now,
    )


async def _may_pass(tx: Transaction, watch: Watch) -> bool:
    """Whether what silenced a thread may be over without anybody's doing in the thread."""
    if watch.state is WatchState.PARKED:
        return watch.reason in MAY_PASS
    return any(post.error in MAY_PASS for post in await tx.parked.messages(watch))


def _since(watches: Iterable[Watch]) -> datetime:
    """Return when the last of these threads fell silent."""
    return max(watch.ended_at or watch.asked_at for watch in watches)


def _by_place(watches: Iterable[Watch]) -> dict[Place, list[Watch]]:
    places: dict[Place, list[Watch]] = {}
    for watch in watches:
        places.setdefault((watch.workspace, watch.channel), []).append(watch)
    return places


async def _gap(tx: Transaction, watch: Watch, posts: list[Post], tracked: WatchedJob | None) -> Gap:
    """Return what the thread missed: what was parked, and what happened since."""
    shown = await tx.parked.said(watch)
    about = told.latest(body.get("about") or {} for body in (*shown, *bodies_of_replies(posts)))
    return Gap(
        watch,
        posts,
        before=told.job_of(watch.ref, about) if about else None,
        after=tracked.seen if tracked and watch.state is WatchState.PARKED else None,
        revision=tracked.revision if tracked else 0,
        signs_shown=[body["names"] for body in shown if body.get("names")],
    )
