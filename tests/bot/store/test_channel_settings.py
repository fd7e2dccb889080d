"""Channel settings: stored with a revision, and never overwritten by outdated changes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bot.store import Store
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


async def test_channel_without_changes_has_no_overrides(store: Store, given: Given) -> None:
    """There is no row for it."""
    async with store.begin() as tx:
        assert await tx.channel_settings.get(given.workspace, given.channel) is None


async def test_overrides_are_stored_with_their_author(store: Store, given: Given) -> None:
    """For this channel only."""
    async with store.begin() as tx:
        assert await tx.channel_settings.replace("T1", "C1", {"tasks": "all"}, "U1", given.now)
    async with store.begin() as tx:
        stored = await tx.channel_settings.get("T1", "C1")
        assert await tx.channel_settings.get("T1", "C2") is None
    assert stored
    assert (stored.values, stored.set_by, stored.revision) == ({"tasks": "all"}, "U1", 1)


async def test_overrides_of_the_current_revision_are_replaced(store: Store, given: Given) -> None:
    """The revision is incremented."""
    async with store.begin() as tx:
        await tx.channel_settings.replace("T1", "C1", {"tasks": "all"}, "U1", given.now)
        assert await tx.channel_settings.replace(
            "T1", "C1", {}, "U2", given.at(1), expected_revision=1
        )
        stored = await tx.channel_settings.get("T1", "C1")
    assert stored
    assert (stored.values, stored.set_by, stored.revision) == ({}, "U2", 2)


@pytest.mark.parametrize("over", [0, 2])
async def test_overrides_of_another_revision_are_not_replaced(
    store: Store, given: Given, over: int
) -> None:
    """Their author has not seen the current ones."""
    async with store.begin() as tx:
        await tx.channel_settings.replace("T1", "C1", {"tasks": "all"}, "U1", given.now)
        assert not await tx.channel_settings.replace(
            "T1", "C1", {}, "U2", given.now, expected_revision=over
        )
        stored = await tx.channel_settings.get("T1", "C1")
    assert stored
    assert (stored.values, stored.revision) == ({"tasks": "all"}, 1)


async def test_one_of_two_concurrent_changes_is_stored(store: Store, given: Given) -> None:
    """The second author sees the overrides of the first."""

    async def change(user: str) -> tuple[bool, str]:
        async with store.begin() as tx:
            await tx.channel_settings.get("T1", "C1")
            done = await tx.channel_settings.replace("T1", "C1", {"board": True}, user, given.now)
            stored = await tx.channel_settings.get("T1", "C1")
        return done, stored.set_by if stored else ""

    both = await asyncio.gather(change("U1"), change("U2"))
    winner = next(by for done, by in both if done)
    assert sorted(both) == [(False, winner), (True, winner)]
