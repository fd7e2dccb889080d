"""Inbox worker: persists a request before the ack, then retries until it is answered."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.sdk.backoff import JITTER, Jitter, backoff
from bot.sdk.errors import StoreError, origin
from bot.store import InboxItem, Store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bot.commands.request import Request
    from bot.commands.router import RequestRouter
    from bot.sdk.clock import Clock

log = logging.getLogger(__name__)

LEASE_SECONDS = 120.0  # after which another process may reclaim the item
POLL_SECONDS = 5.0  # between polls for items with an expired lease
MAX_CONCURRENT = 50
RETRY_SECONDS = 10.0  # at most, before the first retry
MAX_RETRY_SECONDS = 30.0  # before a further retry
MAX_ATTEMPTS = 5  # per item


class InboxWorker:
    """Enqueues and answers requests. Items survive a restart of the process."""

    def __init__(
        self,
        *,
        store: Store,
        router: RequestRouter,
        clock: Clock,
        on_activity: Callable[[str, str], None],
        operator_tasks: Mapping[str, Callable[[InboxItem], Awaitable[None]]],
        jitter: Jitter = JITTER,
    ) -> None:
        self._jitter = jitter
        self._on_activity = on_activity  # called with the workspace and channel of each request
        self._operator_tasks = operator_tasks  # item kind → handler; these do not come from Slack
        self._store = store
        self._router = router
        self._clock = clock
        self._semaphore = asyncio.Semaphore(MAX_CONCURRENT)
        self._running: set[asyncio.Task[None]] = set()

    async def enqueue(self, workspace: str, idempotency_key: str, request: Request) -> bool:
        """Persist a request and start to answer it; raises StoreError.

        `key`: the idempotency key, from Slack's event. Return False for a duplicate.
        """
        now = self._clock.now()
        body = request.model_dump(mode="json")
        async with self._store.begin() as tx:
            id_ = await tx.inbox.add(
                workspace=workspace,
                key=idempotency_key,
                kind=request.kind,
                body=body,
                now=now,
                lease_until=now + timedelta(seconds=LEASE_SECONDS),
            )
        if id_ is None:
            return False
        self._on_activity(workspace, request.channel)
        self._start(InboxItem(id_, workspace, idempotency_key, request.kind, body, now, 0))
        return True

    async def tick(self) -> float:
        """Claim and answer items with an expired lease; return the seconds until the next tick.

        Claims at most as many as can run at once: the lease of a queued item would expire.
        """
        free = MAX_CONCURRENT - len(self._running)
        if free <= 0:
            return POLL_SECONDS
        now = self._clock.now()
        async with self._store.begin() as tx:
            claimed = await tx.inbox.claim(
                now=now, lease_until=now + timedelta(seconds=LEASE_SECONDS), limit=free
            )
        for item in claimed:
            self._start(item)
        return POLL_SECONDS

    async def close(self) -> None:
        """Wait up to 3 s for running tasks, then cancel them. A restart retries the cancelled."""
        if self._running:
            await asyncio.wait(self._running, timeout=3)
        for task in self._running:
            task.cancel()

    def _start(self, item: InboxItem) -> None:
        task = asyncio.create_task(self._answer(item))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _answer(self, item: InboxItem) -> None:
        """Answer an item. A failed one is released for a retry; after the last attempt, closed."""
        async with self._semaphore:
            try:
                if item.attempts < MAX_ATTEMPTS:
                    await self._operator_tasks.get(item.kind, self._router.answer)(item)
                else:  # the last attempt crashed the process, or closing failed
                    await self._give_up(item)
            except Exception as error:  # noqa: BLE001  the edge of a request
                log.error("inbox item %s failed, will be retried: %s", item.id, _describe(error))
                await self._release(item)

    async def _release(self, item: InboxItem) -> None:
        """Release an item for a retry, or give up. If the store fails, its lease expires."""
        try:
            if item.attempts + 1 >= MAX_ATTEMPTS:
                await self._give_up(item)
                return
            delay = backoff(item.attempts, RETRY_SECONDS, MAX_RETRY_SECONDS, self._jitter)
            until = self._clock.now() + timedelta(seconds=delay)
            async with self._store.begin() as tx:
                await tx.inbox.release(item.id, until)
        except StoreError as error:
            log.error("inbox item %s could not be released: %s", item.id, error)

    async def _give_up(self, item: InboxItem) -> None:
        """Close an item that failed too often; notify the requester if it came from Slack."""
        if item.kind not in self._operator_tasks:
            try:
                await self._router.give_up(item)
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001  the edge of a request
                log.error("inbox item %s closed without a reply: %s", item.id, origin(error))
        async with self._store.begin() as tx:
            await tx.inbox.close(item.id, self._clock.now())


def _describe(error: Exception) -> str:
    return str(error) if isinstance(error, StoreError) else origin(error)
