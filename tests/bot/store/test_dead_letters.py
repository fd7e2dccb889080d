"""Dead letters: found by their watch, and requeued or dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.store import MessageState, WatchState

if TYPE_CHECKING:
    from bot.store import OutboxMessage, Store, Watch
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


async def watched(store: Store, given: Given, *keys: str, **but: object) -> Watch:
    """Store a watch with a posted card, and messages for its thread."""
    watch = given.watch(card_ts="1.0", **but)
    messages = [
        given.message(
            f"{watch.id}:{key}", ordering_key=watch.id, channel=watch.channel, watch_id=watch.id
        )
        for key in keys
    ]
    async with store.begin() as tx:
        await tx.watches.add(watch)
        await tx.outbox.add(messages, given.now)
    return watch


async def make_unreachable(store: Store, given: Given, watch: Watch) -> None:
    """Make the messages of the watch's thread dead letters."""
    async with store.begin() as tx:
        await tx.outbox.dead_letter_thread("T1", watch.id, "is_archived", given.now)


async def dead_letters(store: Store, watch: Watch) -> list[OutboxMessage]:
    async with store.begin() as tx:
        return await tx.dead_letters.messages(watch)


async def test_ended_watch_with_dead_letters_is_found(store: Store, given: Given) -> None:
    """Its job has ended, but its thread was never updated."""
    watch = await watched(store, given, "2")
    await make_unreachable(store, given, watch)
    async with store.begin() as tx:
        await tx.watches.end([watch.id], now=given.now, reason="the job ended")
        [(found, count)] = await tx.dead_letters.watches()
    assert (found.id, found.state, count) == (watch.id, WatchState.ENDED, 1)


async def test_unreachable_watch_without_dead_letters_is_found(store: Store, given: Given) -> None:
    """A card that could not be updated is enough."""
    watch = await watched(store, given)
    async with store.begin() as tx:
        await tx.watches.mark_unreachable(watch.id, now=given.now, reason="is_archived")
        assert [(w.id, n) for w, n in await tx.dead_letters.watches()] == [(watch.id, 0)]
        assert await tx.dead_letters.watches("C2") == []


async def test_reachable_watch_is_not_found(store: Store, given: Given) -> None:
    """With or without messages on their way."""
    await watched(store, given, "2")
    async with store.begin() as tx:
        assert await tx.dead_letters.watches() == []


async def test_card_that_was_never_posted_is_not_retried(store: Store, given: Given) -> None:
    """Its asker was notified, and can request it elsewhere."""
    watch = await watched(store, given, "root")
    async with store.begin() as tx:
        await tx.outbox.dead_letter_thread("T1", watch.id, "not_in_channel", given.now)
        await tx.watches.end([watch.id], now=given.now, reason="never posted")
    other = given.watch(ref=given.ref("JOB2"))
    async with store.begin() as tx:
        await tx.watches.add(other)
        await tx.watches.mark_unreachable(other.id, now=given.now, reason="is_archived")
        assert other.id not in {w.id for w, _ in await tx.dead_letters.watches()}


async def test_dead_letters_are_returned_in_order(store: Store, given: Given) -> None:
    """Those of one watch only."""
    watch = await watched(store, given, "2", "3")
    other = await watched(store, given, "2", ref=given.ref("JOB2"))
    await make_unreachable(store, given, watch)
    await make_unreachable(store, given, other)
    assert [message.idempotency_key for message in await dead_letters(store, watch)] == [
        f"{watch.id}:2",
        f"{watch.id}:3",
    ]


async def test_dead_letters_can_be_requeued(store: Store, given: Given) -> None:
    """They are sent as if they had never been rejected."""
    watch = await watched(store, given, "2", "3")
    await make_unreachable(store, given, watch)
    messages = await dead_letters(store, watch)
    async with store.begin() as tx:
        assert await tx.dead_letters.requeue(messages, given.at(60)) == 2
    [head] = await given.due(store, seconds=60)
    assert (head.idempotency_key, head.attempts, head.error) == (f"{watch.id}:2", 0, "")


async def test_dead_letters_can_be_dropped(store: Store, given: Given) -> None:
    """Another message replaces them."""
    watch = await watched(store, given, "2")
    await make_unreachable(store, given, watch)
    messages = await dead_letters(store, watch)
    async with store.begin() as tx:
        assert await tx.dead_letters.drop(messages, given.now) == 1
        assert await tx.dead_letters.messages(watch) == []
        assert await tx.dead_letters.count_unsent(watch) == 0


async def test_dead_letter_that_was_in_flight_is_unconfirmed(store: Store, given: Given) -> None:
    """Slack may have it: it is looked up before a retry."""
    watch = await watched(store, given, "2", "3")
    await given.claim(store)
    await make_unreachable(store, given, watch)
    assert [message.unconfirmed for message in await dead_letters(store, watch)] == [True, False]


async def test_late_rejection_confirms_a_dead_letter_as_unsent(store: Store, given: Given) -> None:
    """Slack does not have the message, so it can be coalesced."""
    watch = await watched(store, given, "2")
    [message] = await given.claim(store)
    await make_unreachable(store, given, watch)
    async with store.begin() as tx:
        assert not await tx.outbox.dead_letter(message, error="is_archived", now=given.now)
        await tx.dead_letters.confirm_unsent(message, "is_archived")
    assert [message.unconfirmed for message in await dead_letters(store, watch)] == [False]


async def test_sent_bodies_of_a_watch_can_be_read(store: Store, given: Given) -> None:
    """The catch-up contains only what the thread has missed."""
    watch = await watched(store, given, "2", "3")
    [message] = await given.claim(store)
    async with store.begin() as tx:
        await tx.outbox.mark_sent(message, ts="2.0", now=given.now)
        assert await tx.dead_letters.sent_bodies(watch) == [{"text": "hello"}]
        assert await tx.dead_letters.count_unsent(watch) == 1
    assert message.state is MessageState.SENDING
