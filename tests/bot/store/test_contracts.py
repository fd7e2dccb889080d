"""The contracts, in both stores: what a channel set itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot.store import ChannelContract

if TYPE_CHECKING:
    from bot.store import Store
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio

VALUES = {"follow_ups": "outcomes", "quiet_hours": {"begins": "22:00:00", "ends": "07:00:00"}}


async def agree(store: Store, given: Given, values: dict[str, Any], channel: str = "C1") -> None:
    """Write down what a channel sets."""
    async with store.begin() as tx:
        await tx.contracts.set("T1", channel, values, "U1", given.now)


async def found(store: Store, channel: str = "C1") -> ChannelContract | None:
    """Return what a channel set."""
    async with store.begin() as tx:
        return await tx.contracts.get("T1", channel)


async def test_a_contract_comes_back_as_it_was_set(store: Store, given: Given) -> None:
    """With who set it and when."""
    await agree(store, given, VALUES)
    assert await found(store) == ChannelContract(
        workspace="T1", channel="C1", values=VALUES, set_by="U1", set_at=given.now, revision=1
    )


async def test_a_newer_contract_takes_the_place_of_the_older(store: Store, given: Given) -> None:
    """All of it, and the revision counts."""
    await agree(store, given, VALUES)
    await agree(store, given, {"tasks": "none"})
    contract = await found(store)
    assert contract is not None
    assert (contract.values, contract.revision) == ({"tasks": "none"}, 2)


async def test_a_contract_that_is_cleared_is_gone(store: Store, given: Given) -> None:
    """Once; another channel keeps its own."""
    await agree(store, given, VALUES)
    await agree(store, given, VALUES, channel="C2")
    async with store.begin() as tx:
        assert await tx.contracts.clear("T1", "C1")
        assert not await tx.contracts.clear("T1", "C1")
    assert await found(store) is None
    assert await found(store, "C2") is not None
