"""Redelivery to unreachable threads: hourly probe, on channel activity, or on request.

An attempt reactivates the watch and posts one thread reply with all missed updates. If Slack
rejects it too, the watch becomes unreachable again, without a second notice to the asker.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.delivery import message_metadata
from bot.delivery.transport import RECOVERABLE_ERRORS
from bot.notifications.decision import Decision, Event, evaluate
from bot.sdk.backoff import JITTER, Jitter, backoff
from bot.sdk.clock import Clock, Wakeup
from bot.sdk.models import Job
from bot.store import EventKind, Watch, WatchState
from bot.tracking.catch_up import MissedUpdates, reply_bodies
from bot.tracking.job_state import JobState
from bot.tracking.job_updates import JobUpdates, PollResult
from bot.tracking.presentation import presentation_of, write_update

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bot.providers.connections import Connections
    from bot.sdk.errors import JobthreadError
    from bot.store import InboxItem, OutboxMessage, Store, Transaction, WatchedJob

log = logging.getLogger(__name__)

OPERATOR_TASK = "operator"  # request kind that `jobthread retry` adds to the inbox
SCAN_SECONDS = 60.0  # between scans for unreachable watches
PROBE_INTERVAL_SECONDS = 3_600.0  # at most, per channel without activity

ChannelKey = tuple[str, str]  # workspace, channel
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass
class Probe:
    """The one unreachable thread of a channel that is tried on behalf of all."""

    due_at: float  # monotonic seconds; of the next attempt
    watch: Watch | None = None  # None: no attempt yet


class RedeliveryWorker:
    """Retries unreachable watches."""

    def __init__(
        self,
        *,
        store: Store,
        connections: Connections,
        job_updates: JobUpdates,
        clock: Clock,
        wake_dispatcher: Callable[[], None],
        wake_poller: Callable[[str, datetime], None],
        jitter: Jitter = JITTER,
    ) -> None:
        self._jitter = jitter
        self._store = store
        self._connections = connections
        self._job_updates = job_updates
        self._clock = clock
        self._wake_dispatcher = wake_dispatcher
        self._wake_poller = wake_poller  # takes a connection and the time of its next poll
        self._wakeup = Wakeup(clock)
        self._activity: dict[ChannelKey, datetime] = {}  # since the last tick
        self._probes: dict[ChannelKey, Probe] = {}
        self._unreachable: set[ChannelKey] = set()  # as of the last tick

    def on_channel_activity(self, workspace: str, channel: str) -> None:
        """Record a request in a channel, and retry its unreachable threads at once."""
        self._activity[workspace, channel] = self._clock.now()
        if (workspace, channel) in self._unreachable:
            self._wakeup.notify()

    def close(self) -> None:
        """End the current tick."""
        self._wakeup.notify()

    async def tick(self) -> float:
        """Retry recoverable watches; return the seconds until the next tick."""
        activity, self._activity = self._activity, {}
        now = self._clock.now()
        async with self._store.begin() as tx:
            unreachable = [watch for watch, _ in await tx.dead_letters.watches()]
            recoverable = [w for w in unreachable if await _is_recoverable(tx, w)]
            channels = _by_channel(recoverable)
            reachable = {p for p in self._probes if await self._probe_succeeded(tx, p, unreachable)}
        for channel_key in self._probes.keys() - channels.keys():
            del self._probes[channel_key]
        for channel_key, watches in channels.items():
            retry_all = channel_key in reachable or activity.get(channel_key, _NEVER) > _since(
                watches
            )
            await self.redeliver(self._select(channel_key, watches, now, retry_all=retry_all))
        self._unreachable = set(channels)
        await self._wakeup.wait(SCAN_SECONDS)
        return 0.0

    async def retry_requested(self, item: InboxItem) -> None:
        """Run a request of `jobthread retry` from the inbox: retry one watch, or all."""
        watch_id = item.body.get("watch")
        async with self._store.begin() as tx:
            unreachable = [watch for watch, _ in await tx.dead_letters.watches()]
        await self.redeliver([watch for watch in unreachable if watch_id in (None, watch.id)])
        async with self._store.begin() as tx:
            await tx.inbox.close(item.id, self._clock.now())

    async def redeliver(self, watches: Iterable[Watch]) -> None:
        """Reactivate these watches, each with one catch-up reply."""
        for watch in watches:
            found = await self._poll(watch) if watch.state is WatchState.UNREACHABLE else None
            async with self._store.begin() as tx:
                await self._redeliver(tx, watch, found)
            log.info("watch %s is retried after: %s", watch.id, watch.reason)
            self._wake_dispatcher()
            self._wake_poller(watch.ref.connection, self._clock.now())

    def _select(
        self, channel_key: ChannelKey, watches: Sequence[Watch], now: datetime, *, retry_all: bool
    ) -> Sequence[Watch]:
        """Return all watches of a channel to retry, or one as the probe when it is due."""
        if retry_all:
            self._probes.pop(channel_key, None)
            return watches
        current = self._clock.monotonic()
        seconds_unreachable = max(0.0, (now - _since(watches)).total_seconds())
        probe = self._probes.setdefault(
            channel_key, Probe(current + self._delay() - seconds_unreachable)
        )
        if current < probe.due_at:
            return []
        self._probes[channel_key] = Probe(current + self._delay(), watches[0])
        return watches[:1]

    def _delay(self) -> float:
        """Return the seconds until the next probe; channels are probed at different times."""
        return backoff(0, PROBE_INTERVAL_SECONDS, PROBE_INTERVAL_SECONDS, self._jitter)

    async def _probe_succeeded(
        self, tx: Transaction, channel_key: ChannelKey, unreachable: Sequence[Watch]
    ) -> bool:
        """Return whether Slack accepted the messages of the channel's probe."""
        watch = self._probes[channel_key].watch
        if watch is None or any(watch.id == other.id for other in unreachable):
            return False
        return not await tx.dead_letters.count_unsent(watch)

    async def _poll(self, watch: Watch) -> Job | JobthreadError | None:
        connection = self._connections.get(watch.ref.connection)
        if connection is None:
            return None
        return (await connection.fetch_batch([watch.ref]))[watch.ref]

    async def _redeliver(
        self, tx: Transaction, watch: Watch, found: Job | JobthreadError | None
    ) -> None:
        """Reactivate one watch in one transaction; other threads get the polled change too."""
        now = self._clock.now()
        watch = await tx.watches.get(watch.id) or watch
        tracked = await self._apply_poll(tx, watch, found, now)
        posts = await tx.dead_letters.messages(watch)
        missed = await _missed_updates(tx, watch, posts, tracked)
        if watch.state is WatchState.UNREACHABLE and not await tx.watches.reactivate(watch.id):
            return
        name = tracked.snapshot.name if tracked and tracked.snapshot else str(watch.ref)
        outcome = await self._outcome(tx, watch, missed.unreported_job, now)
        for message in presentation_of(watch).catch_up(missed, name, outcome, now):
            await tx.outbox.add([message], now)
        replaced = [*missed.replies, *missed.reactions]
        await tx.dead_letters.drop(replaced, now)
        await tx.dead_letters.requeue([p for p in posts if p not in replaced], now)
        if tracked is not None and tracked.snapshot is not None:
            await self._resume(tx, watch, tracked.snapshot, now)

    async def _outcome(
        self, tx: Transaction, watch: Watch, job: Job | None, now: datetime
    ) -> Decision | None:
        """Return the delivery decision for a job's end; None: the thread missed no end."""
        if job is None or not job.status.terminal:
            return None
        policy, context = await self._job_updates.notifier.load_context(
            tx, watch.workspace, watch.channel, watch.ref.connection, job.series_name, now
        )
        return evaluate(policy, Event(kind=EventKind.OUTCOME, failed=job.status.failed), context)

    async def _apply_poll(
        self, tx: Transaction, watch: Watch, found: Job | JobthreadError | None, now: datetime
    ) -> WatchedJob | None:
        """Apply a successful poll, and return the job as it is now stored."""
        before = (await tx.jobs.get(watch.workspace, [watch.ref])).get(watch.ref)
        if before is None or not isinstance(found, Job):
            return before
        renderer = self._connections.renderer(watch.ref.connection)
        await self._job_updates.apply(tx, renderer, [PollResult(before, found, now)])
        return (await tx.jobs.get(watch.workspace, [watch.ref]))[watch.ref]

    async def _resume(self, tx: Transaction, watch: Watch, job: Job, now: datetime) -> None:
        """Show the job's state; poll the job again, or end the watch if the job has ended."""
        if watch.state is WatchState.UNREACHABLE and job.status.terminal:
            await tx.watches.end([watch.id], now=now, reason="the job ended")
        elif watch.state is WatchState.UNREACHABLE:
            await tx.jobs.wake(watch.workspace, watch.ref, due_at=now)
        current = await tx.watches.get(watch.id) or watch
        renderer = self._job_updates.renderer(self._connections.renderer(watch.ref.connection))
        # The card keeps its metadata: the thread has not seen the missed updates yet.
        state = JobState(job=job, now=now, renderer=renderer, pending=True)
        await write_update(tx, presentation_of(current).restore(state), now)


async def request_retry(tx: Transaction, watch_id: str | None, now: datetime) -> None:
    """Add a request to the inbox: retry one unreachable watch, or all."""
    await tx.inbox.add(
        workspace="",  # none: the request is not from Slack
        key=f"{OPERATOR_TASK}:{uuid.uuid4().hex}",
        kind=OPERATOR_TASK,
        body={"watch": watch_id},
        now=now,
        lease_until=now,
    )


async def _is_recoverable(tx: Transaction, watch: Watch) -> bool:
    """Return whether the thread's error can end without a change to the thread."""
    if watch.state is WatchState.UNREACHABLE:
        return watch.reason in RECOVERABLE_ERRORS
    return any(post.error in RECOVERABLE_ERRORS for post in await tx.dead_letters.messages(watch))


def _since(watches: Iterable[Watch]) -> datetime:
    """Return when the last of these threads became unreachable."""
    return max(watch.ended_at or watch.requested_at for watch in watches)


def _by_channel(watches: Iterable[Watch]) -> dict[ChannelKey, list[Watch]]:
    channels: dict[ChannelKey, list[Watch]] = {}
    for watch in watches:
        channels.setdefault((watch.workspace, watch.channel), []).append(watch)
    return channels


async def _missed_updates(
    tx: Transaction, watch: Watch, posts: list[OutboxMessage], tracked: WatchedJob | None
) -> MissedUpdates:
    """Return what the thread missed: its dead letters, and the changes since."""
    posted = await tx.dead_letters.sent_bodies(watch)
    metadata = message_metadata.latest(
        body.get("about") or {} for body in (*posted, *reply_bodies(posts))
    )
    return MissedUpdates(
        watch,
        posts,
        before=message_metadata.job_from_metadata(watch.ref, metadata) if metadata else None,
        after=tracked.snapshot if tracked and watch.state is WatchState.UNREACHABLE else None,
        revision=tracked.revision if tracked else 0,
        reactions_shown=[body["names"] for body in posted if body.get("names")],
    )
