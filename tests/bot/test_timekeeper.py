"""A clock that was set back keeps nobody waiting; one that was set forward tells nothing twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.providers.breaker import PATIENCE, Breaker
from bot.store import NewPost, PostKind, Store
from bot.testing import ManualClock
from bot.timekeeper import Timekeeper
from plugins.servicestage.script import JobScript

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bot.conftest import Stage

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"


class Stand:
    """A timekeeper between a clock that is set and one that is not."""

    def __init__(self, store: Store) -> None:
        self.store, self.wall, self.passed = store, ManualClock(), 0.0
        self.rings = 0
        self.keeper = Timekeeper(
            store=store,
            clock=self.wall,
            poll_seconds=10,
            ring=self._ring,
            monotonic=lambda: self.passed,
        )

    def _ring(self) -> None:
        self.rings += 1

    async def waits(self, seconds: float) -> None:
        """Write a message down that waits so long."""
        now = self.wall.now()
        post = NewPost(
            key="k",
            workspace="T1",
            channel="C1",
            thread="t",
            kind=PostKind.POST,
            body={},
            due_at=now + timedelta(seconds=seconds),
        )
        async with self.store.begin() as tx:
            await tx.outbox.add([post], now)

    async def set_back(self, seconds: float) -> None:
        """Set the wall clock back, a second later."""
        self.wall._now -= timedelta(seconds=seconds)
        self.passed += 1
        await self.keeper.tick()


@pytest.fixture
async def stand(tmp_path: Path) -> Stand:
    """Give a timekeeper and its empty store."""
    store = Store(f"sqlite:///{tmp_path / 'jobs.db'}")
    await store.open()
    return Stand(store)


async def test_what_waited_when_the_clock_was_set_back_is_due_at_once(stand: Stand) -> None:
    """An hour, or five minutes: the step is seen, however narrow it was."""
    await stand.waits(30)
    await stand.keeper.tick()
    assert stand.rings == 0
    await stand.set_back(300)
    assert stand.rings == 1
    await stand.store.close()


async def test_what_waits_on_purpose_goes_on_waiting(stand: Stand) -> None:
    """As long as no clock is set."""
    await stand.waits(890)
    await stand.keeper.tick()
    stand.passed += 1
    await stand.keeper.tick()
    assert stand.rings == 0
    await stand.store.close()


async def test_a_clock_that_was_set_back_while_the_bot_was_away_is_noticed_at_its_start(
    stand: Stand,
) -> None:
    """Nothing waits for longer than a quarter of an hour on purpose."""
    await stand.waits(3_600)
    await stand.keeper.tick()
    assert stand.rings == 1
    await stand.store.close()


async def test_a_message_on_its_way_is_not_sent_again_when_the_clock_is_set_forward(
    stage: Stage,
) -> None:
    """Its claim seems over, and Slack does not have it yet: a look-up would not find it."""
    stage.servicestage.add(JobScript(ID, queued_seconds=0))
    stage.slack.faults.delay("chat.postMessage", milliseconds=7_200_000, times=1)
    await stage.says(f"/job deploys:{ID}")
    async with asyncio.timeout(5):
        while not stage.slack.faults.done:  # noqa: ASYNC110  a call that waits rings no bell
            await asyncio.sleep(0)
    stage.clock._now += timedelta(hours=1)
    stage.bot.deliverer.ring()
    for _ in range(20):
        await stage.clock.advance(1)
    assert stage.slack.called("conversations.history") == []
    await stage.clock.advance(7_200)  # the request is let go


def test_a_connection_that_rests_is_asked_again_when_the_clock_was_set_back() -> None:
    """It would rest an hour longer."""
    clock, breaker = ManualClock(), Breaker()
    for _ in range(PATIENCE):
        breaker.failed(clock.now())
    assert breaker.pause(clock.now()) > 0
    assert breaker.pause(clock.now() - timedelta(hours=1)) == 0.0
