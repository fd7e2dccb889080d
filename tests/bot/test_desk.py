"""The desk: a question is answered, tried again, or given up; never asked in vain for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.asks import Ask, Kind
from bot.desk import MOST_AT_ONCE, MOST_ATTEMPTS, RETRY_SECONDS, Desk
from bot.errors import StoreError
from bot.service import Service
from bot.store import Question, Store
from bot.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from pytest_mock import MockerFixture

    from tests.bot.conftest import Stage

pytestmark = pytest.mark.anyio


class Clerk:
    """A desk whose service fails as told."""

    def __init__(self, store: Store, clock: ManualClock, error: Exception) -> None:
        self.error = error
        self.tried: list[int] = []
        self.given_up: list[int] = []
        self.store = store
        self.clock = clock
        self.desk = Desk(
            store=store,
            service=self,  # type: ignore[arg-type]  # what a desk needs of it
            clock=clock,
            heard=lambda *_: None,
            errands={"errand": self.answer},
        )

    async def answer(self, question: Question) -> None:
        """Fail."""
        self.tried.append(question.attempts)
        raise self.error

    async def give_up(self, question: Question) -> None:
        """Remember, and close as the real one does."""
        self.given_up.append(question.id)
        async with self.store.begin() as tx:
            await tx.inbox.close(question.id, self.clock.now())

    async def asks(self, key: str = "k") -> None:
        """Take one question in."""
        ask = Ask(kind=Kind.COMMAND, user="U1", channel="C1", at=self.clock.now(), text="JOB1")
        assert await self.desk.take("T1", key, ask)

    async def open_until(self) -> float | None:
        """Return in how many seconds the question may be claimed; None: it is closed."""
        async with self.store.begin() as tx:
            due = await tx.inbox.next_due()
        return None if due is None else (due - self.clock.now()).total_seconds()

    async def settled(self) -> None:
        """Wait until no answer is under way."""
        await self.desk.close()

    async def round(self) -> None:
        """Let the rest before another try pass, and try."""
        await self.clock.advance(RETRY_SECONDS)
        await self.desk.tick()
        await self.settled()


@pytest.fixture(params=[StoreError("the disk is full"), RuntimeError("a fault of ours")], ids=str)
async def clerk(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Clerk]:
    """A clerk whose answers fail."""
    store = Store(f"sqlite+aiosqlite:///{tmp_path / 'jobthread.db'}")
    await store.open()
    yield Clerk(store, ManualClock(), request.param)
    await store.close()


async def test_a_failed_answer_is_tried_again_after_ten_seconds(clerk: Clerk) -> None:
    """It does not wait out the lease of two minutes."""
    await clerk.asks()
    await clerk.settled()
    assert await clerk.open_until() == RETRY_SECONDS


async def test_after_five_attempts_the_asker_hears_of_it(clerk: Clerk) -> None:
    """What cannot be answered is closed with a sentence, and tried no more."""
    await clerk.asks()
    await clerk.settled()
    for _ in range(MOST_ATTEMPTS + 2):
        await clerk.round()
    assert clerk.tried == list(range(MOST_ATTEMPTS))
    assert len(clerk.given_up) == 1
    assert await clerk.open_until() is None


async def test_an_errand_that_fails_is_closed_without_a_word(clerk: Clerk) -> None:
    """Nobody in Slack asked for it."""
    now = clerk.clock.now()
    async with clerk.store.begin() as tx:
        await tx.inbox.add(
            workspace="T1", key="e", kind="errand", body={}, now=now, lease_until=now
        )
    for _ in range(MOST_ATTEMPTS + 2):
        await clerk.round()
    assert 1 < len(clerk.tried) <= MOST_ATTEMPTS
    assert clerk.given_up == []
    assert await clerk.open_until() is None


async def test_a_tick_claims_no_more_than_there_are_places(
    clerk: Clerk, mocker: MockerFixture
) -> None:
    """What waits in line would lose its lease there."""
    now = clerk.clock.now()
    async with clerk.store.begin() as tx:
        for n in range(MOST_AT_ONCE + 5):
            await tx.inbox.add(
                workspace="T1", key=str(n), kind="errand", body={}, now=now, lease_until=now
            )
    begun = mocker.spy(clerk.desk, "_begin")
    await clerk.desk.tick()
    await clerk.desk.tick()
    assert begun.call_count == MOST_AT_ONCE
    await clerk.settled()


async def test_a_question_that_cannot_be_written_down_is_given_up_in_words(
    stage: Stage, mocker: MockerFixture
) -> None:
    """The asker reads that something went wrong, with the id of its line in the log."""
    mocker.patch.object(Service, "answer", autospec=True, side_effect=RuntimeError("broken"))
    await stage.says("/job list")
    for _ in range(MOST_ATTEMPTS * 4):
        await stage.clock.advance(5)
        await stage.at_rest()
    assert "log id" in (await stage.whispered("Something went wrong")).text
