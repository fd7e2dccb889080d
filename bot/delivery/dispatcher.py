"""Outbox dispatcher: claims due messages, sends them, records the result, retries.

A message is claimed before it is sent. No call starts after the claim's deadline. An unconfirmed
message is looked up in Slack by its idempotency key before it is sent again.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.delivery.coalescing import coalesce
from bot.delivery.rate_limiter import round_robin
from bot.delivery.transport import HTTP_TIMEOUT_SECONDS, RECOVERABLE_ERRORS
from bot.sdk.backoff import JITTER, Jitter, backoff
from bot.sdk.clock import Clock, Wakeup, seconds_until
from bot.sdk.errors import (
    SlackError,
    SlackRateLimited,
    SlackRejected,
    SlackUnconfirmed,
    StoreError,
    origin,
)
from bot.sdk.models import Message
from bot.store import Claim, MessageKind, NewMessage, OutboxMessage, Store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.delivery.rate_limiter import RateLimiter
    from bot.delivery.transport import SlackTransport
    from bot.store import Transaction

    # Handles a message that Slack rejects for good; gets the error code and the time.
    OnRejected = Callable[[Transaction, OutboxMessage, str, datetime], Awaitable[None]]

log = logging.getLogger(__name__)

QUANTUM_SECONDS = 15.0  # length of one tick
DEADLINE_SECONDS = 10.0  # from the claim to the start of the call
MAX_IN_FLIGHT = 200
NO_ACCESS_RETRY_SECONDS = 30.0  # between lookups in a channel that the bot cannot read
LOOKUP_DELAY_SECONDS = 2.0  # before an unconfirmed message is looked up, at least
MAX_RETRY_SECONDS = 900.0  # between attempts; the rate limiter may block for longer
MAX_LOOKUP_DELAY_SECONDS = 60.0  # between attempts while Slack does not respond


class OutboxDispatcher:
    """Sends the messages of the outbox, in order within each thread."""

    def __init__(
        self,
        *,
        store: Store,
        transport: SlackTransport,
        rate_limiter: RateLimiter,
        clock: Clock,
        on_rejected: OnRejected,
        jitter: Jitter = JITTER,
    ) -> None:
        self._jitter = jitter
        self._store = store
        self._on_rejected = on_rejected
        self._transport = transport
        self._rate_limiter = rate_limiter
        self._clock = clock
        self._wakeups: dict[int, Wakeup] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_flight: set[int] = set()  # ids of the messages that these tasks send
        self._card_updates_at = 0.0  # monotonic seconds; blocked until then
        self._closing = False

    def wake(self) -> None:
        """Wake every lane: a message may be due."""
        for wakeup in self._wakeups.values():
            wakeup.notify()

    def close(self) -> None:
        """Make every tick end once its calls in flight have finished."""
        self._closing = True
        self.wake()

    def reserve(self, post: NewMessage, now: datetime) -> Claim | None:
        """Return a claim for a message about to be stored, or None if it cannot be sent now."""
        full = len(self._tasks) >= MAX_IN_FLIGHT
        current = self._clock.monotonic()
        if full or self._closing or post.due_at > now:
            return None
        if self._rate_limiter.delay(post, current) > 0:
            return None
        self._rate_limiter.acquire(post, current)
        return _claim(now)

    def send(self, post: OutboxMessage) -> None:
        """Send a message that was stored as claimed."""
        self._send_in_background(post)

    async def tick(self, lane: int, lanes: int) -> float:
        """Deliver for one quantum; return the seconds until the next tick."""
        wakeup = self._wakeups.setdefault(lane, Wakeup(self._clock))
        end = self._clock.monotonic() + QUANTUM_SECONDS
        try:
            while not self._closing and (left := end - self._clock.monotonic()) > 0:
                wait = await self._start_batch((lane, lanes))
                await wakeup.wait(min(wait, left))
        finally:
            # Calls in flight go on into the next tick, so a slow one does not delay the others.
            if self._closing:
                await asyncio.gather(*self._tasks)
        return 0.0

    async def _start_batch(self, lanes: tuple[int, int]) -> float:
        """Start sending all sendable messages; return the seconds until the next is sendable."""
        free = MAX_IN_FLIGHT - len(self._tasks)
        posts, wait = await self._claim(lanes, free) if free > 0 else ([], QUANTUM_SECONDS)
        for post in posts:
            self._send_in_background(post)
        return 0.0 if posts else wait

    def _send_in_background(self, post: OutboxMessage) -> None:
        task = asyncio.create_task(self._deliver(post))
        self._tasks.add(task)
        self._in_flight.add(post.id)
        task.add_done_callback(lambda _: self._finished(post, task))

    def _finished(self, post: OutboxMessage, task: asyncio.Task[None]) -> None:
        """Wake the lanes if another message may have waited for this one."""
        full = len(self._tasks) >= MAX_IN_FLIGHT
        self._tasks.discard(task)
        self._in_flight.discard(post.id)
        if full or post.watch_id or post.board_id:
            self.wake()

    async def _claim(self, lanes: tuple[int, int], free: int) -> tuple[list[OutboxMessage], float]:
        """Claim due messages that the rate limiter allows; also return when others are due."""
        now = self._clock.now()
        blocked = self._card_updates_blocked()
        async with self._store.begin() as tx:
            due = await tx.outbox.due(
                lanes=lanes, now=now, limit=5 * MAX_IN_FLIGHT, cards=blocked == 0.0
            )
            chosen, wait = self._select(due, free)
            wait = min(wait, blocked or QUANTUM_SECONDS)
            if not chosen:
                later = seconds_until(await tx.outbox.next_later(lanes, now), now, QUANTUM_SECONDS)
                return [], min(wait, later)
            claim = _claim(now)
            claimed = await tx.outbox.claim(
                chosen, now=now, deadline=claim.deadline, reclaim_at=claim.reclaim_at
            )
            return [await coalesce(tx, post, now) for post in claimed], wait

    def _select(self, due: list[OutboxMessage], free: int) -> tuple[list[int], float]:
        """Return the ids that can be sent now, and the seconds until another one can."""
        now = self._clock.monotonic()
        chosen: list[int] = []
        waits: dict[MessageKind, float] = {}
        # A clock set forward makes our own claims expire early: skip messages in flight.
        for post in round_robin([post for post in due if post.id not in self._in_flight]):
            delay = self._rate_limiter.delay(post, now)
            if delay > 0:
                waits[post.kind] = min(waits.get(post.kind, QUANTUM_SECONDS), delay)
            elif len(chosen) < free:
                self._rate_limiter.acquire(post, now)
                chosen.append(post.id)
        if MessageKind.UPDATE in waits:
            self._card_updates_at = now + waits[MessageKind.UPDATE]
        return chosen, min(waits.values(), default=QUANTUM_SECONDS)

    def _card_updates_blocked(self) -> float:
        """Return the seconds until a card update can be sent; until then, none is read."""
        return max(0.0, self._card_updates_at - self._clock.monotonic())

    async def _deliver(self, post: OutboxMessage) -> None:
        """Send one message and record the result; on an error it stays claimed."""
        try:
            await self._record(post)
        except StoreError as error:
            log.error("message %s failed and stays claimed: %s", post.id, error)
        except Exception as error:  # noqa: BLE001  the edge of a delivery
            log.error("message %s failed and stays claimed: %s", post.id, origin(error))

    async def _record(self, post: OutboxMessage) -> None:
        try:
            ts = await self._send(post)
        except SlackRateLimited as error:
            now = self._clock.monotonic()
            self._rate_limiter.block_for(post, error.retry_after, now, error.method)
            await self._retry_later(post, error, error.retry_after, unconfirmed=post.unconfirmed)
        except SlackUnconfirmed as error:
            self._rate_limiter.confirm(post, self._clock.monotonic())
            wait = backoff(
                post.attempts - 1, LOOKUP_DELAY_SECONDS, MAX_LOOKUP_DELAY_SECONDS, self._jitter
            )
            wait = max(LOOKUP_DELAY_SECONDS, wait)
            await self._retry_later(post, error, wait, unconfirmed=True)
        except SlackRejected as error:
            await self._reject(post, error)
        else:
            self._rate_limiter.confirm(post, self._clock.monotonic())
            async with self._store.begin() as tx:
                await tx.outbox.mark_sent(post, ts=ts, now=self._clock.now())

    async def _retry_later(
        self, post: OutboxMessage, error: SlackError, seconds: float, *, unconfirmed: bool
    ) -> None:
        now = self._clock.now()
        due_at = now + timedelta(seconds=min(seconds, MAX_RETRY_SECONDS))
        log.info("message %s: retry in %.1f s: %s", post.id, seconds, error)
        async with self._store.begin() as tx:
            await tx.outbox.postpone(
                post, due_at=due_at, unconfirmed=unconfirmed, error=str(error), now=now
            )
        self.wake()

    async def _reject(self, post: OutboxMessage, error: SlackRejected) -> None:
        now = self._clock.now()
        async with self._store.begin() as tx:
            await self._on_rejected(tx, post, error.code, now)
        self.wake()

    async def _send(self, post: OutboxMessage) -> str | None:
        """Send a message; return its timestamp, or None if it has none."""
        match post.kind:
            case MessageKind.UPDATE:
                return await self._update(post)
            case MessageKind.EPHEMERAL:
                return await self._send_ephemeral(post)
            case MessageKind.REACTION:
                self._check_deadline(post)
                await self._transport.set_reaction(
                    post.channel, post.body["ts"], post.body["names"]
                )
                return None
            case MessageKind.DIRECT:
                channel = await self._transport.open_direct(post.body["asker"])
                return await self._post(replace(post, channel=channel))
        return await self._post(post)

    async def _post(self, post: OutboxMessage) -> str:
        thread_ts = post.watch_thread_ts or post.body.get("thread_ts")
        if post.watch_id and not post.creates_card:
            thread_ts = thread_ts or post.card_ts
        if post.unconfirmed:
            found = await self._find(post, thread_ts)
            if found is not None:
                return found
        self._check_deadline(post)
        return await self._transport.post(
            post.channel,
            _message(post),
            idempotency_key=post.idempotency_key,
            thread_ts=thread_ts,
            broadcast=bool(post.body.get("broadcast")),
            metadata=post.body.get("about"),
        )

    async def _find(self, post: OutboxMessage, thread_ts: str | None) -> str | None:
        """Look up an unconfirmed message; retry while the bot has no access to the channel.

        A dead letter here could mean a duplicate later, or a posted card without a watch.
        """
        try:
            return await self._transport.find(
                post.channel, post.idempotency_key, thread_ts=thread_ts, since=post.created_at
            )
        except SlackRejected as error:
            if error.code not in RECOVERABLE_ERRORS:
                raise
            raise SlackRateLimited(str(error), retry_after=NO_ACCESS_RETRY_SECONDS) from error

    async def _update(self, post: OutboxMessage) -> str:
        ts = post.body.get("ts") or post.card_ts
        self._check_deadline(post)
        about = post.body.get("about")
        await self._transport.update(post.channel, str(ts), _message(post), metadata=about)
        return str(ts)

    async def _send_ephemeral(self, post: OutboxMessage) -> str | None:
        """Send by the response_url until it expires, else ephemerally, else as a direct message.

        The deletion of an ephemeral message needs the response_url and is dropped without it.
        """
        self._check_deadline(post)
        if await self._respond(post) or post.body["message"] is None:
            return None
        message, user = _message(post), post.body["asker"]
        try:
            await self._transport.post_ephemeral(
                post.channel, user, message, thread_ts=post.body.get("thread_ts")
            )
        except SlackRejected:
            # A direct message can be looked up after a lost response; an ephemeral one cannot.
            body = {**post.body, "thread_ts": None, "about": None}
            channel = await self._transport.open_direct(user)
            return await self._post(replace(post, channel=channel, body=body))
        return None

    async def _respond(self, post: OutboxMessage) -> bool:
        url, until = post.body.get("response_url"), post.body.get("until")
        if not url or not until or self._clock.now().timestamp() > until:
            return False
        message = _message(post) if post.body["message"] is not None else None
        replacing = bool(post.body.get("replace"))
        try:
            await self._transport.respond(
                url, message, replace=replacing, thread_ts=post.body.get("thread_ts")
            )
        except SlackRejected as error:
            log.info("message %s: response_url rejected: %s", post.id, error.code)
            return False
        return True

    def _check_deadline(self, post: OutboxMessage) -> None:
        """Raise SlackUnconfirmed after the deadline: another process may hold the claim by now."""
        if post.deadline is not None and self._clock.now() > post.deadline:
            raise SlackUnconfirmed("The deadline for this message has passed.")


def _claim(now: datetime) -> Claim:
    deadline = now + timedelta(seconds=DEADLINE_SECONDS)
    return Claim(deadline, reclaim_at=deadline + timedelta(seconds=2 * HTTP_TIMEOUT_SECONDS))


def _message(post: OutboxMessage) -> Message:
    return Message.model_validate(post.body["message"])
