"""The bot's own parts around a channel in memory, living through a recorded day."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import merge
from itertools import count
from operator import itemgetter
from typing import TYPE_CHECKING

from bench.in_memory_channel import CHANNEL, WORKSPACE
from bench.recorded_day import Asked, Run
from bot.commands.actions import ShowJob
from bot.commands.executor import ActionExecutor
from bot.commands.request import Request, RequestKind
from bot.delivery.permalinks import Workspace
from bot.notifications.digest_worker import DigestWorker
from bot.providers.connections import Connections
from bot.sdk.models import Message
from bot.store import InboxItem, MessageKind
from bot.tracking.job_updates import JobUpdates, PollResult

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from bench.in_memory_channel import Channel, Moment
    from bench.recorded_day import Day
    from bot.notifications.notifier import Notifier
    from bot.sdk import Change
    from bot.store import Claim, NewMessage, OutboxMessage, Store

POLL_SECONDS = 10.0


class Later:
    """Leaves every message to the next delivery."""

    def reserve(self, post: NewMessage, now: datetime) -> Claim | None:
        """Claim nothing."""
        del post, now
        return None

    def send(self, post: OutboxMessage) -> None:
        """Send nothing."""

    def wake(self) -> None:
        """Deliver nothing yet."""


@dataclass
class Room:
    """Asks and looks as the day has it, and delivers at once what is to be said."""

    store: Store
    notices: Notifier
    clock: Moment
    channel: Channel
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        """Put the parts together."""
        home = Workspace(url="https://bench.slack.com/")
        self.following = JobUpdates(POLL_SECONDS, self.notices)
        self.ledger = ActionExecutor(
            store=self.store,
            connections=Connections([]),
            job_updates=self.following,
            clock=self.clock,
            slack_workspace=home,
            sender=Later(),
            wake_poller=lambda *_: None,
            notify_plugins=_nobody,
        )
        self.digests = DigestWorker(
            store=self.store,
            notifier=self.notices,
            slack_workspace=home,
            clock=self.clock,
            wake_dispatcher=lambda: None,
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
        ask = Request(kind=RequestKind.COMMAND, user=asked.user, channel=CHANNEL, at=asked.at)
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
        question = InboxItem(id_, WORKSPACE, key, ask.kind, {}, asked.at, 0)
        await self.ledger.commit(
            question, ask, [ShowJob(run.seen(asked.at), 0) for run in asked.runs]
        )

    async def _look(self, run: Run) -> None:
        """Somebody looks at a job, and what changed is told."""
        async with self.store.begin() as tx:
            watched = (await tx.jobs.get(WORKSPACE, [run.ref])).get(run.ref)
            if watched is not None and watched.due_at is not None:
                look = PollResult(watched, run.seen(self.clock.at), self.clock.at)
                await self.following.apply(tx, None, [look])

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
                [post.id for post in due], now=now, deadline=now, reclaim_at=now
            )
            for post in claimed:
                await tx.outbox.mark_sent(post, ts=await self._say(post), now=now)
        return len(claimed)

    async def _say(self, post: OutboxMessage) -> str | None:
        if post.kind not in (MessageKind.POST, MessageKind.UPDATE):
            return None
        message = Message.model_validate(post.body["message"])
        if post.kind is MessageKind.UPDATE:
            ts = str(post.body.get("ts") or post.card_ts)
            await self.channel.update(post.channel, ts, message)
            return ts
        thread_ts = post.card_ts if post.watch_id and not post.roots_watch else None
        loud = bool(post.body.get("broadcast"))
        return await self.channel.post(
            post.channel, message, idempotency_key=post.key, thread_ts=thread_ts, broadcast=loud
        )


async def _nobody(change: Change) -> None:
    """Hear of a change, and do nothing."""
    del change
