"""Inbox, on both databases: a request is stored once and answered by one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bot.store import Store
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


async def test_stored_request_keeps_its_kind_and_body(store: Store, given: Given) -> None:
    """With any characters."""
    body = {"text": "ünï 任务 \x00 \ud83d", "list": [1, None, {"a": True}]}
    await given.request(store, "key", kind="mention", body=body)
    async with store.begin() as tx:
        [item] = await tx.inbox.claim(now=given.now, lease_until=given.at(60), limit=10)
    assert (item.kind, item.body, item.idempotency_key) == ("mention", body, "key")
    assert (item.workspace, item.received_at) == ("T1", given.now)


async def test_request_with_a_known_key_is_not_stored_again(store: Store, given: Given) -> None:
    """Slack may send the same event four times."""
    assert await given.request(store, "same") is not None
    assert await given.request(store, "same") is None


async def test_two_workspaces_can_use_the_same_key(store: Store, given: Given) -> None:
    """Keys are unique within a workspace."""
    assert await given.request(store, "same", workspace="T1") is not None
    assert await given.request(store, "same", workspace="T2") is not None


async def test_leased_request_is_not_claimed_by_others(store: Store, given: Given) -> None:
    """The process that adds a request answers it, until its lease expires."""
    await given.request(store, lease_until=given.at(60))
    async with store.begin() as tx:
        assert await tx.inbox.claim(now=given.at(59), lease_until=given.at(99), limit=10) == []
        [item] = await tx.inbox.claim(now=given.at(60), lease_until=given.at(99), limit=10)
    assert item.attempts == 1


async def test_each_claim_is_counted(store: Store, given: Given) -> None:
    """The attempts reveal a request that kills its process."""
    await given.request(store)
    async with store.begin() as tx:
        for attempts in (1, 2, 3):
            [item] = await tx.inbox.claim(now=given.now, lease_until=given.now, limit=1)
            assert item.attempts == attempts


async def test_oldest_requests_are_claimed_first(store: Store, given: Given) -> None:
    """No request waits for ever behind newer ones."""
    for key, seconds in (("new", -1), ("old", -3), ("middle", -2)):
        await given.request(store, key, now=given.at(seconds))
    async with store.begin() as tx:
        items = await tx.inbox.claim(now=given.now, lease_until=given.at(60), limit=2)
    assert [item.idempotency_key for item in items] == ["old", "middle"]


async def test_request_can_be_claimed_by_its_id(store: Store, given: Given) -> None:
    """The process that was notified of it claims that one only."""
    await given.request(store, "first")
    second = await given.request(store, "second")
    async with store.begin() as tx:
        items = await tx.inbox.claim(now=given.now, lease_until=given.at(60), limit=9, id=second)
    assert [item.idempotency_key for item in items] == ["second"]


async def test_second_close_of_a_request_fails(store: Store, given: Given) -> None:
    """The second process learns that it must not reply."""
    id_ = await given.request(store)
    assert id_ is not None
    async with store.begin() as tx:
        assert await tx.inbox.close(id_, given.now)
        assert not await tx.inbox.close(id_, given.at(1))


async def test_closed_request_is_never_claimed_again(store: Store, given: Given) -> None:
    """It has no due time either."""
    id_ = await given.request(store)
    assert id_ is not None
    async with store.begin() as tx:
        await tx.inbox.close(id_, given.now)
        assert await tx.inbox.claim(now=given.at(99), lease_until=given.at(999), limit=10) == []
        assert await tx.inbox.next_due() is None


async def test_released_request_waits_until_its_time(store: Store, given: Given) -> None:
    """The retry comes later, not at once."""
    id_ = await given.request(store)
    assert id_ is not None
    async with store.begin() as tx:
        await tx.inbox.release(id_, given.at(30))
        assert await tx.inbox.claim(now=given.at(29), lease_until=given.at(99), limit=10) == []
        assert await tx.inbox.next_due() == given.at(30)


async def test_exclusive_start_expires_all_leases(store: Store, given: Given) -> None:
    """After a crash no request waits for a dead process's lease."""
    await given.request(store, lease_until=given.at(600))
    async with store.begin() as tx:
        await tx.inbox.expire_leases(given.now)
        assert len(await tx.inbox.claim(now=given.now, lease_until=given.at(9), limit=10)) == 1


async def test_pruning_deletes_old_closed_requests_only(store: Store, given: Given) -> None:
    """Open requests are never deleted."""
    ids = [await given.request(store, key) for key in ("old", "new", "open")]
    async with store.begin() as tx:
        await tx.inbox.close(ids[0] or 0, given.at(-20))
        await tx.inbox.close(ids[1] or 0, given.at(-10))
        assert await tx.inbox.prune(given.at(-10)) == 1
    assert await given.request(store, "open") is None


async def test_backlog_counts_requests_without_a_lease(store: Store, given: Given) -> None:
    """A leased request is being answered."""
    await given.request(store, "leased", now=given.at(-9), lease_until=given.at(60))
    await given.request(store, "older", now=given.at(-5))
    await given.request(store, "newer", now=given.at(-1))
    async with store.begin() as tx:
        assert await tx.inbox.backlog(given.now) == (2, given.at(-5))


async def test_empty_inbox_has_no_backlog_and_no_due_time(store: Store, given: Given) -> None:
    """None is no error."""
    async with store.begin() as tx:
        assert await tx.inbox.backlog(given.now) == (0, None)
        assert await tx.inbox.next_due() is None
