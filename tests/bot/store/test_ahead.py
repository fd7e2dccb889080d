"""What a clock that was set back would leave waiting is due now, in both stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bot.store import Store
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


async def recall(store: Store, given: Given) -> int:
    """Call back what waits for more than a quarter of an hour; claims may be adopted in 30 s."""
    async with store.begin() as tx:
        return await tx.ahead.recall(given.now, latest=given.at(900), adopt_at=given.at(30))


async def test_a_job_that_is_due_too_far_ahead_is_due_now(store: Store, given: Given) -> None:
    """One that waits on purpose goes on waiting."""
    await given.track(store, given.job(given.ref("far")), seconds=3_600)
    await given.track(store, given.job(given.ref("near")), seconds=900)
    assert await recall(store, given) == 1
    async with store.begin() as tx:
        due = await tx.jobs.due("deploys", shards=(0, 1), now=given.now, limit=9)
    assert [watched.ref.id for watched in due] == ["far"]


async def test_a_message_that_is_due_too_far_ahead_is_due_now(store: Store, given: Given) -> None:
    """Its thread would be silent as long as the clock was set back."""
    far, near = given.post(thread="a", due_at=given.at(3_600)), given.post(due_at=given.at(60))
    await given.posts(store, far, near)
    assert await recall(store, given) == 1
    assert [post.key for post in await given.due(store)] == [far.key]


async def test_a_claim_from_before_the_clock_was_set_back_ends_like_a_new_one(
    store: Store, given: Given
) -> None:
    """Its owner may be sending still, and gets the time that a claim has."""
    await given.posts(store, given.post())
    assert len(await given.claim(store, seconds=3_600)) == 1
    assert await recall(store, given) == 1
    assert await given.due(store, seconds=29) == []
    assert len(await given.due(store, seconds=30)) == 1


async def test_a_question_whose_lease_is_too_far_ahead_may_be_answered_now(
    store: Store, given: Given
) -> None:
    """Whoever held it is gone, or answers it at the same time; only one answer is written down."""
    async with store.begin() as tx:
        await tx.inbox.add(
            workspace="T1",
            key="k",
            kind="command",
            body={},
            now=given.at(3_600),
            lease_until=given.at(3_720),
        )
    assert await recall(store, given) == 1
    async with store.begin() as tx:
        assert await tx.inbox.claim(now=given.now, lease_until=given.at(120), limit=9)
