"""Deferred decisions: exactly one process releases each of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.sdk.models import Status
from bot.store import DecisionRecord, DeliveryAction, EventKind
from tests.bot.quiet_hours_harness import QuietHoursHarness

if TYPE_CHECKING:
    from bot.store import Store
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


def deferred(
    given: Given, key: str = "w:1", *, seconds: float = 0, **changes: Any
) -> DecisionRecord:
    """Return a decision that is deferred until this many seconds after noon."""
    defaults = {
        "workspace": given.workspace,
        "idempotency_key": key,
        "channel": given.channel,
        "watch_id": "w",
        "ref": given.ref(),
        "name": "api",
        "event_kind": EventKind.CHANGE,
        "failed": False,
        "previously_failed": False,
        "action": DeliveryAction.DEFER,
        "rule": "quiet_hours",
        "reason": "These are quiet hours.",
        "text": "api is now running.",
        "body": {"message": {"text": "api is now running."}},
        "deferred_until": given.at(seconds),
        "decided_at": given.at(-60),
    }
    return DecisionRecord(**(defaults | changes))


async def store_decisions(store: Store, *decided: DecisionRecord) -> None:
    """Store decisions."""
    async with store.begin() as tx:
        for one in decided:
            assert await tx.decisions.add(one)


async def test_due_decisions_are_those_past_their_deferral(store: Store, given: Given) -> None:
    """Neither those with time left nor another channel's."""
    other = deferred(given, "o:1", channel="C2")
    await store_decisions(
        store, deferred(given, "w:2"), deferred(given, "w:1"), deferred(given, "w:3", seconds=1)
    )
    await store_decisions(store, other)
    async with store.begin() as tx:
        due = await tx.decisions.due(given.workspace, given.channel, given.now)
        assert [decided.idempotency_key for decided in due] == ["w:2", "w:1"]
        assert due[0] == deferred(given, "w:2")
        channels = await tx.decisions.channels_with_due(given.now)
        assert sorted(channels) == [("T1", "C1"), ("T1", "C2")]
        assert await tx.decisions.channels_with_due(given.at(-1)) == []
        assert sorted(await tx.decisions.channels_with_deferred()) == sorted(channels)


async def test_one_of_several_processes_gets_the_due_decisions(store: Store, given: Given) -> None:
    """The later ones find nothing, then the first one's board."""
    await store_decisions(store, *(deferred(given, f"w:{n}") for n in range(5)))

    async def take(board: str) -> list[str]:
        async with store.begin() as tx:
            due = await tx.decisions.due(given.workspace, given.channel, given.now)
            mine = [replace(decided, deferred_until=None, board_id=board) for decided in due]
            return [one.idempotency_key for one in mine if await tx.decisions.redecide(one)]

    taken = await asyncio.gather(take("a"), take("b"), take("c"))
    assert sorted(key for keys in taken for key in keys) == [f"w:{n}" for n in range(5)]
    assert sum(bool(keys) for keys in taken) == 1


async def test_concurrent_ticks_and_a_new_policy_deliver_once(
    store: Store,
) -> None:
    """Each job is in one reply or in one line of the one growing digest."""
    harness, names = QuietHoursHarness(store), [f"job-{n}" for n in range(8)]
    await harness.change_settings(posts_per_hour=1)
    for name in names:
        await harness.follow(name)
        await harness.poll(Status.SUCCEEDED, name)
    await asyncio.gather(
        harness.tick(), harness.change_settings(posts_per_hour=3), harness.tick(), harness.tick()
    )
    await harness.tick()
    newest = {
        row.board_id or row.idempotency_key: row for row in await harness.posts("post", "update")
    }
    replies = [row for row in newest.values() if not row.idempotency_key.endswith(":card")]
    lines = [line for row in replies for line in row.body["message"]["text"].split("\n")]
    assert [sum(name in line for line in lines) for name in names] == [1] * len(names)
    assert sum(row.board_id is not None for row in replies) <= 1


async def test_released_decision_is_not_decided_again(store: Store, given: Given) -> None:
    """The second process learns that it lost, and changes nothing."""
    one = deferred(given)
    await store_decisions(store, one)
    released = replace(one, deferred_until=None, action=DeliveryAction.POST, decided_at=given.now)
    async with store.begin() as tx:
        assert await tx.decisions.redecide(released)
        assert not await tx.decisions.redecide(
            replace(one, deferred_until=None, action=DeliveryAction.DROP)
        )
        assert await tx.decisions.get(one.workspace, one.idempotency_key) == released


async def test_released_reply_counts_from_its_release(store: Store, given: Given) -> None:
    """The budget counts what the channel gets within an hour."""
    await store_decisions(store, deferred(given))
    async with store.begin() as tx:
        window = (given.workspace, given.channel, given.at(-30))
        assert await tx.decisions.count_posted(*window) == 0
        await tx.decisions.redecide(
            replace(
                deferred(given),
                deferred_until=None,
                action=DeliveryAction.POST,
                decided_at=given.now,
            )
        )
        assert await tx.decisions.count_posted(*window) == 1


async def test_undelivered_items_of_a_digest_are_deferred_again(store: Store, given: Given) -> None:
    """All except those already posted; they are due at once."""
    in_digest = {"deferred_until": None, "board_id": "b"}
    await store_decisions(
        store, deferred(given, "w:1", **in_digest), deferred(given, "w:2", **in_digest)
    )
    async with store.begin() as tx:
        assert await tx.decisions.return_to_deferred("b", ["w:1"], given.now) == 1
        [returned] = await tx.decisions.deferred(given.workspace, given.channel)
        assert (returned.idempotency_key, returned.deferred_until, returned.board_id) == (
            "w:2",
            given.now,
            None,
        )
        assert await tx.decisions.return_to_deferred("b", [], given.now) == 1
        assert await tx.decisions.of_board("b") == []


async def test_count_and_age_of_deferred_decisions_are_known(store: Store, given: Given) -> None:
    """For monitoring."""
    await store_decisions(
        store, deferred(given, "w:1"), deferred(given, "w:2", deferred_until=None)
    )
    async with store.begin() as tx:
        depth = await tx.metrics.deferred()
        assert (depth.count, depth.oldest_at) == (1, given.at(-60))
        assert await tx.decisions.next_due() == given.now


async def test_watches_are_found_by_their_ids_in_any_state(store: Store, given: Given) -> None:
    """A digest links the cards of ended jobs too."""
    first, second = given.watch(), given.watch(ref=given.ref("JOB2"))
    async with store.begin() as tx:
        for watch in (first, second):
            await tx.watches.add(watch)
        await tx.watches.end([second.id], now=given.now, reason="the job ended")
        found = await tx.watches.get_many([first.id, second.id, "none"])
        assert found.keys() == {first.id, second.id}
        assert await tx.watches.get_many([]) == {}


async def test_dropped_thread_keeps_its_sent_messages(store: Store, given: Given) -> None:
    """Only unsent ones are dropped; their bodies stay readable."""
    await given.enqueue(
        store, given.message("a"), given.message("b"), given.message("c", ordering_key="other")
    )
    [first, _] = await given.claim(store)
    async with store.begin() as tx:
        await tx.outbox.mark_sent(first, ts="1.0", now=given.now)
        assert await tx.outbox.drop_thread("T1", "thread", error="why", now=given.now) == 1
        assert await tx.outbox.latest_body("T1", "b") == {"text": "hello"}
        assert await tx.outbox.latest_body("T1", "none") is None
    assert [message.idempotency_key for message in await given.due(store)] == []
