"""The bot with an in-memory channel: replays a recorded day."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import merge
from itertools import count
from operator import itemgetter
from typing import TYPE_CHECKING

from bench.in_memory_channel import CHANNEL, WORKSPACE
from bench.recorded_day import RecordedJob, RecordedRequest
from bot.commands.actions import ShowJob
from bot.commands.executor import ActionExecutor
from bot.commands.request import Request, RequestKind
from bot.delivery.permalinks import Workspace
from bot.notifications.digest_worker import DigestWorker
from bot.providers.connections import Connections
from bot.providers.renderer import JobRenderer
from bot.sdk.models import Message
from bot.store import InboxItem, MessageKind
from bot.tracking.job_updates import JobUpdates, PollResult

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from bench.in_memory_channel import Channel, ReplayClock
    from bench.recorded_day import Day
    from bot.notifications.notifier import Notifier
    from bot.sdk import Change
    from bot.store import Claim, NewMessage, OutboxMessage, Store

POLL_SECONDS = 10.0
Event = tuple["datetime", int, RecordedRequest | RecordedJob]


class DeferredSender:
    """Leaves every message to the next delivery tick."""

    def reserve(self, post: NewMessage, now: datetime) -> Claim | None:
        """Claim nothing."""
        del post, now
        return None

    def send(self, post: OutboxMessage) -> None:
        """Send nothing."""

    def wake(self) -> None:
        """Do nothing."""


@dataclass
class InMemoryBot:
    """Handles the requests and polls of a day and delivers at once."""

    store: Store
    notifier: Notifier
    clock: ReplayClock
    channel: Channel
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        """Build the parts."""
        workspace = Workspace(url="https://bench.slack.com/")
        self.job_updates = JobUpdates(POLL_SECONDS, self.notifier)
        self.executor = ActionExecutor(
            store=self.store,
            connections=Connections([]),
            job_updates=self.job_updates,
            clock=self.clock,
            slack_workspace=workspace,
            sender=DeferredSender(),
            wake_poller=lambda *_: None,
            notify_plugins=_ignore,
        )
        self.digests = DigestWorker(
            store=self.store,
            notifier=self.notifier,
            slack_workspace=workspace,
            clock=self.clock,
            wake_dispatcher=lambda: None,
        )

    async def replay(self, day: Day) -> None:
        """Replay the day in time order."""
        requests: list[Event] = [(each.at, 0, each) for each in day.requests]
        polls: list[Event] = [(at, 1, job) for at, job in day.changes]
        for at, _, what in merge(requests, polls, key=itemgetter(0, 1)):
            self.clock.at = at
            await (self._show(what) if isinstance(what, RecordedRequest) else self._poll(what))
            await self._settle()

    async def _show(self, asked: RecordedRequest) -> None:
        """Answer a request by showing its jobs."""
        request = Request(
            kind=RequestKind.COMMAND, user=asked.user, channel=CHANNEL, requested_at=asked.at
        )
        key = f"request:{next(self.numbers)}"
        async with self.store.begin() as tx:
            id_ = await tx.inbox.add(
                workspace=WORKSPACE,
                key=key,
                kind=request.kind,
                body=request.model_dump(mode="json"),
                now=asked.at,
                lease_until=asked.at,
            )
        assert id_ is not None
        item = InboxItem(id_, WORKSPACE, key, request.kind, {}, asked.at, 0)
        await self.executor.commit(
            item, request, [ShowJob(run.job_at(asked.at), 0) for run in asked.runs]
        )

    async def _poll(self, run: RecordedJob) -> None:
        """Poll a job and store its changes."""
        async with self.store.begin() as tx:
            watched = (await tx.jobs.get(WORKSPACE, [run.ref])).get(run.ref)
            if watched is not None and watched.due_at is not None:
                result = PollResult(watched, run.job_at(self.clock.at), self.clock.at)
                await self.job_updates.apply(tx, JobRenderer(), [result])

    async def _settle(self) -> None:
        """Post due digests and deliver until the outbox is empty."""
        await self.digests.tick()
        while await self._deliver():
            pass

    async def _deliver(self) -> int:
        """Deliver the next message of each thread; return the number delivered."""
        now = self.clock.at
        async with self.store.begin() as tx:
            due = await tx.outbox.due(lanes=(0, 1), now=now, limit=500)
            claimed = await tx.outbox.claim(
                [post.id for post in due], now=now, deadline=now, reclaim_at=now
            )
            for post in claimed:
                await tx.outbox.mark_sent(post, ts=await self._send(post), now=now)
        return len(claimed)

    async def _send(self, post: OutboxMessage) -> str | None:
        if post.kind not in (MessageKind.POST, MessageKind.UPDATE):
            return None
        message = Message.model_validate(post.body["message"])
        if post.kind is MessageKind.UPDATE:
            ts = str(post.body.get("ts") or post.card_ts)
            await self.channel.update(post.channel, ts, message)
            return ts
        thread_ts = post.card_ts if post.watch_id and not post.creates_card else None
        broadcast = bool(post.body.get("broadcast"))
        return await self.channel.post(
            post.channel,
            message,
            idempotency_key=post.idempotency_key,
            thread_ts=thread_ts,
            broadcast=broadcast,
        )


async def _ignore(change: Change) -> None:
    """Ignore a change."""
    del change
