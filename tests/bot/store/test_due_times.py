"""After a clock step back, rows due too far ahead become due, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bot.store import Store
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


async def pull_forward(store: Store, given: Given) -> int:
    """Pull forward rows due in over 15 minutes; claims become reclaimable in 30 s."""
    async with store.begin() as tx:
        return await tx.due_times.pull_forward(
            given.now, latest=given.at(900), reclaim_at=given.at(30)
        )


async def test_job_due_too_far_ahead_becomes_due(store: Store, given: Given) -> None:
    """A job that is due soon keeps its time."""
    await given.track(store, given.job(given.ref("far")), seconds=3_600)
    await given.track(store, given.job(given.ref("near")), seconds=900)
    assert await pull_forward(store, given) == 1
    async with store.begin() as tx:
        due = await tx.jobs.due("deploys", shards=(0, 1), now=given.now, limit=9)
    assert [watched.ref.id for watched in due] == ["far"]


async def test_message_due_too_far_ahead_becomes_due(store: Store, given: Given) -> None:
    """Its thread would otherwise wait until the clock catches up."""
    far, near = (
        given.message(ordering_key="a", due_at=given.at(3_600)),
        given.message(due_at=given.at(60)),
    )
    await given.enqueue(store, far, near)
    assert await pull_forward(store, given) == 1
    assert [message.idempotency_key for message in await given.due(store)] == [far.idempotency_key]


async def test_claim_older_than_a_clock_step_ends_like_a_new_one(
    store: Store, given: Given
) -> None:
    """Its holder may still be sending and gets the time of a new claim."""
    await given.enqueue(store, given.message())
    assert len(await given.claim(store, seconds=3_600)) == 1
    assert await pull_forward(store, given) == 1
    assert await given.due(store, seconds=29) == []
    assert len(await given.due(store, seconds=30)) == 1


async def test_lease_too_far_ahead_expires_at_once(store: Store, given: Given) -> None:
    """Its holder died or answers concurrently; only one answer is stored."""
    async with store.begin() as tx:
        await tx.inbox.add(
            workspace="T1",
            key="k",
            kind="command",
            body={},
            now=given.at(3_600),
            lease_until=given.at(3_720),
        )
    assert await pull_forward(store, given) == 1
    async with store.begin() as tx:
        assert await tx.inbox.claim(now=given.now, lease_until=given.at(120), limit=9)
