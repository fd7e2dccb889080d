"""What channels set themselves: kept, counted, and never overwritten unseen."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bot.store import Store
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


async def test_a_channel_that_set_nothing_has_no_contract_of_its_own(
    store: Store, given: Given
) -> None:
    """There is no row for it."""
    async with store.begin() as tx:
        assert await tx.contracts.get(given.workspace, given.channel) is None


async def test_what_a_channel_sets_is_kept_with_whoever_set_it(store: Store, given: Given) -> None:
    """For this channel only."""
    async with store.begin() as tx:
        assert await tx.contracts.set("T1", "C1", {"tasks": "all"}, "U1", given.now)
    async with store.begin() as tx:
        kept = await tx.contracts.get("T1", "C1")
        assert await tx.contracts.get("T1", "C2") is None
    assert kept
    assert (kept.values, kept.set_by, kept.revision) == ({"tasks": "all"}, "U1", 1)


async def test_a_newer_contract_takes_the_place_of_the_one_it_was_made_from(
    store: Store, given: Given
) -> None:
    """And counts one more."""
    async with store.begin() as tx:
        await tx.contracts.set("T1", "C1", {"tasks": "all"}, "U1", given.now)
        assert await tx.contracts.set("T1", "C1", {}, "U2", given.at(1), over=1)
        kept = await tx.contracts.get("T1", "C1")
    assert kept
    assert (kept.values, kept.set_by, kept.revision) == ({}, "U2", 2)


@pytest.mark.parametrize("over", [0, 2])
async def test_a_contract_made_from_another_one_changes_nothing(
    store: Store, given: Given, over: int
) -> None:
    """Whoever wrote it has not seen what holds."""
    async with store.begin() as tx:
        await tx.contracts.set("T1", "C1", {"tasks": "all"}, "U1", given.now)
        assert not await tx.contracts.set("T1", "C1", {}, "U2", given.now, over=over)
        kept = await tx.contracts.get("T1", "C1")
    assert kept
    assert (kept.values, kept.revision) == ({"tasks": "all"}, 1)


async def test_of_two_who_change_one_contract_at_the_same_moment_one_has_to_look_again(
    store: Store, given: Given
) -> None:
    """Whoever comes second sees what the first has set."""

    async def sets(user: str) -> tuple[bool, str]:
        async with store.begin() as tx:
            await tx.contracts.get("T1", "C1")
            done = await tx.contracts.set("T1", "C1", {"board": True}, user, given.now)
            kept = await tx.contracts.get("T1", "C1")
        return done, kept.set_by if kept else ""

    both = await asyncio.gather(sets("U1"), sets("U2"))
    winner = next(by for done, by in both if done)
    assert sorted(both) == [(False, winner), (True, winner)]
