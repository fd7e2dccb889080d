"""Inbox worker: retries a failed request, and gives up in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.commands.inbox_worker import (
    MAX_ATTEMPTS,
    MAX_CONCURRENT,
    MAX_RETRY_SECONDS,
    RETRY_SECONDS,
    InboxWorker,
)
from bot.commands.request import Request, RequestKind
from bot.commands.router import RequestRouter
from bot.sdk.errors import StoreError
from bot.sdk.testing import ManualClock
from bot.store import InboxItem, Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from pytest_mock import MockerFixture

    from tests.harness import BotHarness

pytestmark = pytest.mark.anyio


class InboxHarness:
    """An inbox worker whose router raises a given error."""

    def __init__(self, store: Store, clock: ManualClock, error: Exception) -> None:
        self.error = error
        self.attempts: list[int] = []
        self.given_up: list[int] = []
        self.store = store
        self.clock = clock
        self.worker = InboxWorker(
            store=store,
            router=self,  # type: ignore[arg-type]  # duck-typed router
            clock=clock,
            on_activity=lambda *_: None,
            operator_tasks={"operator_task": self.answer},
        )

    async def answer(self, item: InboxItem) -> None:
        """Raise the error."""
        self.attempts.append(item.attempts)
        raise self.error

    async def give_up(self, item: InboxItem) -> None:
        """Record the call, and close the item like the real router."""
        self.given_up.append(item.id)
        async with self.store.begin() as tx:
            await tx.inbox.close(item.id, self.clock.now())

    async def enqueue(self, key: str = "k") -> None:
        """Enqueue one request."""
        request = Request(
            kind=RequestKind.COMMAND,
            user="U1",
            channel="C1",
            requested_at=self.clock.now(),
            text="JOB1",
        )
        assert await self.worker.enqueue("T1", key, request)

    async def seconds_until_due(self) -> float | None:
        """Return the seconds until the item can be claimed; None if it is closed."""
        async with self.store.begin() as tx:
            due = await tx.inbox.next_due()
        return None if due is None else (due - self.clock.now()).total_seconds()

    async def wait_until_idle(self) -> None:
        """Wait until no item is being answered."""
        await self.worker.close()

    async def retry(self) -> None:
        """Advance to the next retry, and run it."""
        await self.clock.advance(MAX_RETRY_SECONDS)
        await self.worker.tick()
        await self.wait_until_idle()


@pytest.fixture(params=[StoreError("the disk is full"), RuntimeError("internal error")], ids=str)
async def inbox(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[InboxHarness]:
    """An inbox worker whose requests fail."""
    store = Store(f"sqlite+aiosqlite:///{tmp_path / 'jobthread.db'}")
    await store.open()
    yield InboxHarness(store, ManualClock(), request.param)
    await store.close()


async def test_failed_item_is_retried_within_ten_seconds(inbox: InboxHarness) -> None:
    """The retry does not wait for the lease of two minutes."""
    await inbox.enqueue()
    await inbox.wait_until_idle()
    assert await inbox.seconds_until_due() == RETRY_SECONDS


async def test_requester_is_notified_after_five_attempts(inbox: InboxHarness) -> None:
    """The item is closed, and not retried any more."""
    await inbox.enqueue()
    await inbox.wait_until_idle()
    for _ in range(MAX_ATTEMPTS + 2):
        await inbox.retry()
    assert inbox.attempts == list(range(MAX_ATTEMPTS))
    assert len(inbox.given_up) == 1
    assert await inbox.seconds_until_due() is None


async def test_failed_operator_task_is_closed_silently(inbox: InboxHarness) -> None:
    """There is no user in Slack to notify."""
    now = inbox.clock.now()
    async with inbox.store.begin() as tx:
        await tx.inbox.add(
            workspace="T1", key="e", kind="operator_task", body={}, now=now, lease_until=now
        )
    for _ in range(MAX_ATTEMPTS + 2):
        await inbox.retry()
    assert 1 < len(inbox.attempts) <= MAX_ATTEMPTS
    assert inbox.given_up == []
    assert await inbox.seconds_until_due() is None


async def test_tick_claims_no_more_than_it_can_run(
    inbox: InboxHarness, mocker: MockerFixture
) -> None:
    """The lease of a queued item would expire."""
    now = inbox.clock.now()
    async with inbox.store.begin() as tx:
        for n in range(MAX_CONCURRENT + 5):
            await tx.inbox.add(
                workspace="T1", key=str(n), kind="operator_task", body={}, now=now, lease_until=now
            )
    started = mocker.spy(inbox.worker, "_start")
    await inbox.worker.tick()
    await inbox.worker.tick()
    assert started.call_count == MAX_CONCURRENT
    await inbox.wait_until_idle()


async def test_failing_request_ends_with_an_internal_error_reply(
    harness: BotHarness, mocker: MockerFixture
) -> None:
    """The reply has the correlation id of the log line."""
    mocker.patch.object(RequestRouter, "answer", autospec=True, side_effect=RuntimeError("broken"))
    await harness.says("/job list")
    for _ in range(MAX_ATTEMPTS * 4):
        await harness.clock.advance(5)
        await harness.settle()
    assert "log id" in (await harness.wait_for_ephemeral("Something went wrong")).text
