"""`deliver`: a thousand changes at once, and how long until the last stands in its thread.

The real deliverer and Web client post to the local Slack, which keeps to Slack's own limits and
runs in a process of its own. The baseline is a bare loop that posts the very same at these limits
and does nothing else: no store, no claims, no keys looked after.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slack_sdk.web.async_client import AsyncWebClient

from bench.rate_limited_slack import ASKER, BURST, PER_SECOND, limited
from bench.report import Report, Target, median, progress, quantile
from bot.delivery import message_metadata
from bot.delivery.dispatcher import OutboxDispatcher
from bot.delivery.messages import thread_reply
from bot.delivery.rate_limiter import RateLimiter
from bot.sdk.cards import job_card
from bot.sdk.clock import SystemClock
from bot.sdk.models import Job, JobRef, Status
from bot.slack.client import client_session
from bot.slack.web_api import EVENT_TYPE, WebApiTransport
from bot.store import Store, Watch
from bot.tracking import job_changes
from bot.tracking.rejections import handle_rejection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from datetime import datetime

    from aiohttp import ClientSession

    from bench.rate_limited_slack import Limited
    from bot.store import NewMessage

MOST = 1.2  # of the time that the limits allow
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    channels: int = 200
    each: int = 5  # changes in a channel, of as many jobs
    rounds: int = 5

    @property
    def steady_seconds(self) -> float:
        """How long one post a second in each channel takes: the first goes at once."""
        return (self.each - 1) / PER_SECOND

    @property
    def burst_seconds(self) -> float:
        """How long it takes where each channel lets a few through at once."""
        return max(0.0, (self.each - BURST) / PER_SECOND)


TINY = Size(channels=10, each=5, rounds=1)


@dataclass(frozen=True)
class Delivered:
    """One round: seconds from the changes until each stood in its thread."""

    seconds: list[float]
    calls: int  # that were made for it, refused ones included

    @property
    def last(self) -> float:
        """When the last stood."""
        return max(self.seconds)


async def measure(*, tiny: bool = False) -> Report:
    """Measure both in turn, each round on a Slack of its own, so that all buckets are full."""
    size = TINY if tiny else Size()
    bare: list[Delivered] = []
    ours: list[Delivered] = []
    for n in range(size.rounds):
        progress(f"round {n + 1} of {size.rounds}")
        async with limited(size.channels, size.each) as slack:
            bare.append(await _bare(slack))
        async with limited(size.channels, size.each) as slack:
            ours.append(await _ours(slack))
    return _report(size, bare, ours)


class _Listening(WebApiTransport):
    """The way out, which notes when each message stood: Slack's own timestamp tells."""

    def __init__(self, client: AsyncWebClient, session: ClientSession, expected: int) -> None:
        super().__init__(client, session, SystemClock())
        self._expected = expected
        self.stood: list[float] = []
        self.calls = 0
        self.whole = asyncio.Event()

    async def post(self, *given: Any, **named: Any) -> str:
        """Post, and note when it stood."""
        ts = await super().post(*given, **named)
        self.stood.append(float(ts))
        if len(self.stood) == self._expected:
            self.whole.set()
        return ts

    async def call(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Count a call, and make it."""
        self.calls += 1
        return await super().call(method, arguments)


async def _ours(slack: Limited) -> Delivered:
    """Write all the follow-ups down at once, as looks at jobs do, and let the deliverer work."""
    async with _store() as store, client_session() as session:
        outlet = _Listening(_client(slack, session), session, slack.count)
        deliverer = OutboxDispatcher(
            store=store,
            transport=outlet,
            rate_limiter=RateLimiter(),
            clock=SystemClock(),
            on_rejected=handle_rejection,
        )
        delivering = asyncio.create_task(_ticks(deliverer))
        await outlet.call("auth.test", {})
        posts = await _watched(store, slack)
        began = time.time()
        async with store.begin() as tx:
            await tx.outbox.add(posts, SystemClock().now())
        deliverer.wake()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await outlet.whole.wait()
        deliverer.close()  # the tick under way ends when all that flies has landed
        delivering.cancel()
        await asyncio.gather(delivering, return_exceptions=True)
        return Delivered([at - began for at in outlet.stood], outlet.calls - 1)


async def _ticks(deliverer: OutboxDispatcher) -> None:
    while True:
        await deliverer.tick(0, 1)


@asynccontextmanager
async def _store() -> AsyncIterator[Store]:
    with tempfile.TemporaryDirectory(prefix="jobthread-bench-") as folder:
        store = Store(f"sqlite:///{(Path(folder) / 'jobs.db').as_posix()}")
        await store.open()
        try:
            yield store
        finally:
            await store.close()


async def _watched(store: Store, slack: Limited) -> list[NewMessage]:
    """Write a watch down for each card; return what is to be said in their threads."""
    now = SystemClock().now()
    watches = list(_watches(slack, now))
    async with store.begin() as tx:
        for watch in watches:
            await tx.watches.add(watch)
    return [_follow_up(watch, now) for watch in watches]


def _watches(slack: Limited, now: datetime) -> Iterator[Watch]:
    for channel, stamps in slack.cards.items():
        for ts in stamps:
            ref = JobRef(connection="deploys", id=f"JOB-{channel}-{ts}")
            yield Watch(
                id=uuid.uuid4().hex,
                workspace="T0PLAYGRND",
                channel=channel,
                card_ts=ts,
                ref=ref,
                asker=ASKER.id,
                requested_at=now,
            )


def _follow_up(watch: Watch, now: datetime) -> NewMessage:
    """Return what a thread is told when its job begins to run."""
    before = Job(ref=watch.ref, name=f"deploy {watch.ref.id}", status=Status.QUEUED)
    change = job_changes.diff(before, after := before.replace(status=Status.RUNNING))
    assert change
    message = job_card.render_change(
        change, job_card.CardContext(checked_at=now, asker=watch.asker)
    )
    about = message_metadata.for_reply(watch, after, 2, ended=False)
    return thread_reply(watch, "2", message, now, metadata=about, reason="the job's status changed")


async def _bare(slack: Limited) -> Delivered:
    """Post the same from one loop a channel, as fast as the limits allow."""
    now = SystemClock().now()
    async with client_session() as session:
        client = _client(slack, session)
        await client.api_call("auth.test")
        bodies: dict[str, list[dict[str, Any]]] = {}
        for watch in _watches(slack, now):
            bodies.setdefault(watch.channel, []).append(_body(watch, _follow_up(watch, now)))
        began = time.time()
        stood = await asyncio.gather(*(_in_channel(client, its) for its in bodies.values()))
    return Delivered([ts - began for its in stood for ts in its], slack.count)


def _body(watch: Watch, post: NewMessage) -> dict[str, Any]:
    message, key = post.body["message"], {"key": post.idempotency_key}
    return {
        "channel": watch.channel,
        "thread_ts": watch.card_ts,
        "text": message["text"],
        "blocks": message["blocks"],
        "metadata": {"event_type": EVENT_TYPE, "event_payload": {**post.body["about"], **key}},
    }


async def _in_channel(client: AsyncWebClient, bodies: list[dict[str, Any]]) -> list[float]:
    """Post a few at once, and then one a second, from when Slack had the first."""
    stood: list[float] = []
    clock = asyncio.get_running_loop().time
    first = 0.0
    for n, body in enumerate(bodies):
        await asyncio.sleep(max(0.0, first + (n - BURST + 1) / PER_SECOND - clock()))
        answer = await client.api_call("chat.postMessage", json=body)
        first = first or clock()
        stood.append(float(answer["ts"]))
    return stood


def _client(slack: Limited, session: ClientSession) -> AsyncWebClient:
    return AsyncWebClient(slack.token, base_url=slack.api_url, session=session, retry_handlers=[])


def _report(size: Size, bare: list[Delivered], ours: list[Delivered]) -> Report:
    count = size.channels * size.each
    lasts, theirs = [one.last for one in ours], [one.last for one in bare]
    steady = median(lasts) / size.steady_seconds
    to_bare = median([o / b for o, b in zip(lasts, theirs, strict=True)])
    calls = median([one.calls / count for one in ours])
    return Report(
        name="deliver",
        figures={
            "seconds": median(lasts),
            "worst_seconds": max(lasts),
            "p50_seconds": median([s for one in ours for s in one.seconds]),
            "calls_a_message": calls,
        },
        baseline={
            "steady_limit_seconds": size.steady_seconds,
            "burst_limit_seconds": size.burst_seconds,
            "bare_seconds": median(theirs),
        },
        ratios={
            "to_steady_limit": steady,
            "to_burst_limit": median(lasts) / size.burst_seconds,
            "to_bare": to_bare,
        },
        targets=(
            Target("the last, of the time at a post a second in a channel", steady, "<=", MOST),
            Target("the last, of the bare loops' with the same bursts", to_bare, "<=", MOST),
            Target("calls of Slack a message", calls, "<=", 1.0),
        ),
        columns=("seconds until", "half stood", "99 %", "the last", "worst"),
        rows=[("bare loops", *_row(bare)), ("jobthread", *_row(ours))],
        conditions=(
            f"{count} changes in {size.channels} channels at once, {size.each} in each",
            f"medians of {size.rounds} rounds, each on a new Slack",
            f"a post a second in a channel: {size.steady_seconds:g} s at least",
            f"with bursts of {BURST}: {size.burst_seconds:g} s",
        ),
    )


def _row(rounds: list[Delivered]) -> tuple[float, ...]:
    return (
        median([quantile(one.seconds, 0.5) for one in rounds]),
        median([quantile(one.seconds, 0.99) for one in rounds]),
        median([one.last for one in rounds]),
        max(one.last for one in rounds),
    )
