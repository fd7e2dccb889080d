"""The bot's own parts around a channel in memory, living through a recorded day."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import merge
from itertools import count
from operator import itemgetter
from typing import TYPE_CHECKING

from bench.in_memory_channel import CHANNEL, WORKSPACE
from bench.recorded_day import Asked, Run
from bot.commands.actions import Show
from bot.commands.executor import Ledger
from bot.commands.request import Ask, Kind
from bot.delivery.permalinks import Home
from bot.notifications.digest_worker import Digests
from bot.providers.connections import Connections
from bot.sdk.models import Message
from bot.store import PostKind, Question
from bot.tracking.job_updates import Following, Look

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from bench.in_memory_channel import Channel, Moment
    from bench.recorded_day import Day
    from bot.notifications.notifier import Notices
    from bot.sdk import Change
    from bot.store import Claim, NewPost, Post, Store

POLL_SECONDS = 10.0


class Later:
    """Leaves every message to the next delivery."""

    def reserve(self, post: NewPost, now: datetime) -> Claim | None:
        """Claim nothing."""
        del post, now
        return None

    def send(self, post: Post) -> None:
        """Send nothing."""

    def ring(self) -> None:
        """Deliver nothing yet."""


@dataclass
class Room:
    """Asks and looks as the day has it, and delivers at once what is to be said."""

    store: Store
    notices: Notices
    clock: Moment
    channel: Channel
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        """Put the parts together."""
        home = Home(url="https://bench.slack.com/")
        self.following = Following(POLL_SECONDS, self.notices)
        self.ledger = Ledger(
            store=self.store,
            connections=Connections([]),
            following=self.following,
            clock=self.clock,
            home=home,
            sender=Later(),
            expect=lambda *_: None,
            announce=_nobody,
        )
        self.digests = Digests(
            store=self.store,
            notices=self.notices,
            home=home,
            clock=self.clock,
            ring=lambda: None,
        )

    async def live(self, day: Day) -> None:
        """Live the day, in the order of its moments."""
        asks: list[tuple[datetime, int, Asked | Run]] = [(a.at, 0, a) for a in day.asks]
        looks: list[tuple[datetime, int, Asked | Run]] = [(at, 1, run) for at, run in day.changes]
        for at, _, what in merge(asks, looks, key=itemgetter(0, 1)):
            self.clock.at = at
            await (self._ask(what) if isinstance(what, Asked) else self._look(what))
            await self._settle()

    async def _ask(self, asked: Asked) -> None:
        """Somebody asks for jobs, and all of them are shown."""
        ask = Ask(kind=Kind.COMMAND, user=asked.user, channel=CHANNEL, at=asked.at)
        key = f"ask:{next(self.numbers)}"
        async with self.store.begin() as tx:
            id_ = await tx.inbox.add(
                workspace=WORKSPACE,
                key=key,
                kind=ask.kind,
                body=ask.model_dump(mode="json"),
                now=asked.at,
                lease_until=asked.at,
            )
        assert id_ is not None
        question = Question(id_, WORKSPACE, key, ask.kind, {}, asked.at, 0)
        await self.ledger.commit(question, ask, [Show(run.seen(asked.at), 0) for run in asked.runs])

    async def _look(self, run: Run) -> None:
        """Somebody looks at a job, and what changed is told."""
        async with self.store.begin() as tx:
            watched = (await tx.jobs.get(WORKSPACE, [run.ref])).get(run.ref)
            if watched is not None and watched.due_at is not None:
                look = Look(watched, run.seen(self.clock.at), self.clock.at)
                await self.following.write(tx, None, [look])

    async def _settle(self) -> None:
        """Tell the digests, and deliver until nothing is left."""
        await self.digests.tick()
        while await self._deliver():
            pass

    async def _deliver(self) -> int:
        """Deliver what is due, each thread's next; return how many messages."""
        now = self.clock.at
        async with self.store.begin() as tx:
            due = await tx.outbox.due(lanes=(0, 1), now=now, limit=500)
            claimed = await tx.outbox.claim(
                [post.id for post in due], now=now, deadline=now, adopt_at=now
            )
            for post in claimed:
                await tx.outbox.sent(post, ts=await self._say(post), now=now)
        return len(claimed)

    async def _say(self, post: Post) -> str | None:
        if post.kind not in (PostKind.POST, PostKind.UPDATE):
            return None
        message = Message.model_validate(post.body["message"])
        if post.kind is PostKind.UPDATE:
            ts = str(post.body.get("ts") or post.card_ts)
            await self.channel.update(post.channel, ts, message)
            return ts
        thread_ts = post.card_ts if post.watch_id and not post.roots_watch else None
        loud = bool(post.body.get("broadcast"))
        return await self.channel.post(
            post.channel, message, key=post.key, thread_ts=thread_ts, broadcast=loud
        )


async def _nobody(change: Change) -> None:
    """Hear of a change, and do nothing."""
    del change
