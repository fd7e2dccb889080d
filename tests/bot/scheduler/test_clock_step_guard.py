"""A clock step back delays no row; a step forward duplicates no message."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.scheduler import ClockStepGuard
from bot.sdk.testing import ManualClock
from bot.store import MessageKind, NewMessage, Store
from plugins.servicestage.script import JobScript, JobStep

if TYPE_CHECKING:
    from pathlib import Path

    from tests.harness import BotHarness

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"


class GuardHarness:
    """A guard with a clock whose wall time can be stepped."""

    def __init__(self, store: Store) -> None:
        self.store, self.clock = store, ManualClock()
        self.wakes = 0
        self.guard = ClockStepGuard(
            store=store,
            clock=self.clock,
            poll_seconds=10,
            wake_workers=self._wake,
        )

    def _wake(self) -> None:
        self.wakes += 1

    async def add_message(self, seconds: float) -> None:
        """Add a message that is due after this many seconds."""
        now = self.clock.now()
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
        self.clock.step(-seconds)
        await self.clock.advance(1)
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
    await guarded.clock.advance(1)
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
    harness.clock.step(3_600)
    harness.bot.dispatcher.wake()
    for _ in range(20):
        await harness.clock.advance(1)
    assert harness.slack.calls_of("conversations.history") == []
    await harness.clock.advance(7_200)  # ends the slow call


@pytest.mark.parametrize("step", [-1, -3_600, -31_557_600, 1, 3_600, 31_557_600])
async def test_bot_answers_and_polls_after_a_clock_step(harness: BotHarness, step: int) -> None:
    """Neither a request nor a followed job waits for as long as the step."""
    harness.servicestage.add(JobScript(ID, (JobStep("RUN", 10**9),), queued_seconds=0))
    await harness.request_card(f"/job deploys:{ID}")
    harness.clock.step(step)
    await harness.request_card(f"/job deploys:{ID}", channel="general")
    polls = len(harness.servicestage.calls)
    for _ in range(80):
        await harness.clock.advance(1)
        await asyncio.sleep(0)
    assert len(harness.servicestage.calls) > polls
