"""A clock step back delays no row; a step forward duplicates no message."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.clock_step_guard import ClockStepGuard
from bot.providers.circuit_breaker import FAILURE_THRESHOLD, CircuitBreaker
from bot.sdk.testing import ManualClock
from bot.store import MessageKind, NewMessage, Store
from plugins.servicestage.script import JobScript

if TYPE_CHECKING:
    from pathlib import Path

    from tests.harness import BotHarness

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"


class GuardHarness:
    """A guard with a settable wall clock and a monotonic clock."""

    def __init__(self, store: Store) -> None:
        self.store, self.wall, self.elapsed = store, ManualClock(), 0.0
        self.wakes = 0
        self.guard = ClockStepGuard(
            store=store,
            clock=self.wall,
            poll_seconds=10,
            wake_workers=self._wake,
            monotonic=lambda: self.elapsed,
        )

    def _wake(self) -> None:
        self.wakes += 1

    async def add_message(self, seconds: float) -> None:
        """Add a message that is due after this many seconds."""
        now = self.wall.now()
        post = NewMessage(
            idempotency_key="k",
            workspace="T1",
            channel="C1",
            ordering_key="t",
            kind=MessageKind.POST,
            body={},
            due_at=now + timedelta(seconds=seconds),
        )
        async with self.store.begin() as tx:
            await tx.outbox.add([post], now)

    async def set_back(self, seconds: float) -> None:
        """Set the wall clock back, a second later, and tick."""
        self.wall._now -= timedelta(seconds=seconds)
        self.elapsed += 1
        await self.guard.tick()


@pytest.fixture
async def guarded(tmp_path: Path) -> GuardHarness:
    """A guard with an empty store."""
    store = Store(f"sqlite:///{tmp_path / 'jobs.db'}")
    await store.open()
    return GuardHarness(store)


async def test_waiting_rows_are_due_after_a_clock_step_back(guarded: GuardHarness) -> None:
    """A step of five minutes is detected as well as one of an hour."""
    await guarded.add_message(30)
    await guarded.guard.tick()
    assert guarded.wakes == 0
    await guarded.set_back(300)
    assert guarded.wakes == 1
    await guarded.store.close()


async def test_intended_wait_is_kept_without_a_clock_step(guarded: GuardHarness) -> None:
    """A delay of nearly 15 minutes is left alone."""
    await guarded.add_message(890)
    await guarded.guard.tick()
    guarded.elapsed += 1
    await guarded.guard.tick()
    assert guarded.wakes == 0
    await guarded.store.close()


async def test_clock_step_during_downtime_is_detected_at_start(
    guarded: GuardHarness,
) -> None:
    """No intended wait exceeds 15 minutes."""
    await guarded.add_message(3_600)
    await guarded.guard.tick()
    assert guarded.wakes == 1
    await guarded.store.close()


async def test_message_in_flight_survives_a_clock_step_forward(
    harness: BotHarness,
) -> None:
    """Its lease seems expired, but Slack does not have it yet: a lookup would not find it."""
    harness.servicestage.add(JobScript(ID, queued_seconds=0))
    harness.slack.faults.delay("chat.postMessage", milliseconds=7_200_000, times=1)
    await harness.says(f"/job deploys:{ID}")
    async with asyncio.timeout(5):
        while not harness.slack.faults.injected:  # noqa: ASYNC110  a waiting call sends no event
            await asyncio.sleep(0)
    harness.clock._now += timedelta(hours=1)
    harness.bot.dispatcher.wake()
    for _ in range(20):
        await harness.clock.advance(1)
    assert harness.slack.calls_of("conversations.history") == []
    await harness.clock.advance(7_200)  # ends the slow call


def test_circuit_breaker_closes_after_a_clock_step_back() -> None:
    """Otherwise it would stay open for an hour longer."""
    clock, breaker = ManualClock(), CircuitBreaker()
    for _ in range(FAILURE_THRESHOLD):
        breaker.record_failure(clock.now())
    assert breaker.open_for(clock.now()) > 0
    assert breaker.open_for(clock.now() - timedelta(hours=1)) == 0.0
