"""What Slack refused: found again by its watch, and sent again or given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.store import PostState, WatchState

if TYPE_CHECKING:
    from bot.store import Post, Store, Watch
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


async def watched(store: Store, given: Given, *keys: str, **but: object) -> Watch:
    """Write a watch down whose card stands, and messages for its thread."""
    watch = given.watch(card_ts="1.0", **but)
    posts = [
        given.post(f"{watch.id}:{key}", thread=watch.id, channel=watch.channel, watch_id=watch.id)
        for key in keys
    ]
    async with store.begin() as tx:
        await tx.watches.add(watch)
        await tx.outbox.add(posts, given.now)
    return watch


async def silence(store: Store, given: Given, watch: Watch) -> None:
    """Park what the watch's thread was to be told."""
    async with store.begin() as tx:
        await tx.outbox.park_thread("T1", watch.id, "is_archived", given.now)


async def parked(store: Store, watch: Watch) -> list[Post]:
    async with store.begin() as tx:
        return await tx.parked.messages(watch)


async def test_a_watch_that_ended_while_its_thread_was_silent_is_among_the_parked(
    store: Store, given: Given
) -> None:
    """Its job is over, and the thread does not know yet."""
    watch = await watched(store, given, "2")
    await silence(store, given, watch)
    async with store.begin() as tx:
        await tx.watches.end([watch.id], now=given.now, reason="the job ended")
        [(found, count)] = await tx.parked.watches()
    assert (found.id, found.state, count) == (watch.id, WatchState.ENDED, 1)


async def test_a_parked_watch_is_found_although_nothing_waits_for_it(
    store: Store, given: Given
) -> None:
    """A card that could not be drawn again is enough."""
    watch = await watched(store, given)
    async with store.begin() as tx:
        await tx.watches.park(watch.id, now=given.now, reason="is_archived")
        assert [(w.id, n) for w, n in await tx.parked.watches()] == [(watch.id, 0)]
        assert await tx.parked.watches("C2") == []


async def test_a_watch_that_is_well_is_not_among_the_parked(store: Store, given: Given) -> None:
    """Neither with messages on their way, nor without."""
    await watched(store, given, "2")
    async with store.begin() as tx:
        assert await tx.parked.watches() == []


async def test_a_card_that_was_never_posted_is_not_tried_again(store: Store, given: Given) -> None:
    """Its asker heard why, and asks again where it can be posted."""
    watch = await watched(store, given, "root")
    async with store.begin() as tx:
        await tx.outbox.park_thread("T1", watch.id, "not_in_channel", given.now)
        await tx.watches.end([watch.id], now=given.now, reason="never posted")
    other = given.watch(ref=given.ref("JOB2"))
    async with store.begin() as tx:
        await tx.watches.add(other)
        await tx.watches.park(other.id, now=given.now, reason="is_archived")
        assert other.id not in {w.id for w, _ in await tx.parked.watches()}


async def test_parked_messages_come_back_in_their_order(store: Store, given: Given) -> None:
    """Those of one watch, and no others."""
    watch = await watched(store, given, "2", "3")
    other = await watched(store, given, "2", ref=given.ref("JOB2"))
    await silence(store, given, watch)
    await silence(store, given, other)
    assert [post.key for post in await parked(store, watch)] == [f"{watch.id}:2", f"{watch.id}:3"]


async def test_parked_messages_can_be_made_ready_again(store: Store, given: Given) -> None:
    """They are sent as if they had never been refused."""
    watch = await watched(store, given, "2", "3")
    await silence(store, given, watch)
    posts = await parked(store, watch)
    async with store.begin() as tx:
        assert await tx.parked.again(posts, given.at(60)) == 2
    [head] = await given.due(store, seconds=60)
    assert (head.key, head.attempts, head.error) == (f"{watch.id}:2", 0, "")


async def test_parked_messages_can_be_given_up(store: Store, given: Given) -> None:
    """Another message says it all."""
    watch = await watched(store, given, "2")
    await silence(store, given, watch)
    posts = await parked(store, watch)
    async with store.begin() as tx:
        assert await tx.parked.drop(posts, given.now) == 1
        assert await tx.parked.messages(watch) == []
        assert await tx.parked.unsent(watch) == 0


async def test_a_message_parked_on_its_way_is_doubtful(store: Store, given: Given) -> None:
    """Slack may have it: whoever sends it again looks first."""
    watch = await watched(store, given, "2", "3")
    await given.claim(store)
    await silence(store, given, watch)
    assert [post.doubtful for post in await parked(store, watch)] == [True, False]


async def test_a_refusal_that_comes_after_the_parking_ends_the_doubt(
    store: Store, given: Given
) -> None:
    """Slack does not have the message, so that it can be told with others."""
    watch = await watched(store, given, "2")
    [post] = await given.claim(store)
    await silence(store, given, watch)
    async with store.begin() as tx:
        assert not await tx.outbox.park(post, error="is_archived", now=given.now)
        await tx.parked.certain(post, "is_archived")
    assert [post.doubtful for post in await parked(store, watch)] == [False]


async def test_what_slack_took_for_a_watch_can_be_read(store: Store, given: Given) -> None:
    """So that the thread is told what it does not know yet, and nothing else."""
    watch = await watched(store, given, "2", "3")
    [post] = await given.claim(store)
    async with store.begin() as tx:
        await tx.outbox.sent(post, ts="2.0", now=given.now)
        assert await tx.parked.said(watch) == [{"text": "hello"}]
        assert await tx.parked.unsent(watch) == 1
    assert post.state is PostState.SENDING
