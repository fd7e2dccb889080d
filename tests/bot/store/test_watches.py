"""Watches, on both databases: at most one open watch for each job and channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.store import WatchState

if TYPE_CHECKING:
    from bot.store import Store, Watch
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


async def add(store: Store, *watches: Watch) -> list[bool]:
    """Store watches."""
    async with store.begin() as tx:
        return [await tx.watches.add(watch) for watch in watches]


async def test_stored_watch_keeps_every_field(store: Store, given: Given) -> None:
    """By id, by job and by card."""
    watch = given.watch(thread_ts="1.0", card_ts="2.0", reason="requested")
    await add(store, watch)
    async with store.begin() as tx:
        assert await tx.watches.get(watch.id) == watch
        assert await tx.watches.find("T1", "C1", watch.ref) == watch
        assert await tx.watches.by_card("T1", "C1", "2.0") == watch


async def test_missing_watch_is_none(store: Store, given: Given) -> None:
    """It is no error."""
    async with store.begin() as tx:
        assert await tx.watches.get("nothing") is None
        assert await tx.watches.find("T1", "C1", given.ref()) is None
        assert await tx.watches.by_card("T1", "C1", "2.0") is None


async def test_job_has_one_open_watch_in_a_channel(store: Store, given: Given) -> None:
    """Another channel, workspace or job has its own."""
    assert await add(store, given.watch(), given.watch()) == [True, False]
    others = [given.watch(channel="C2"), given.watch(workspace="T2")]
    assert await add(store, *others, given.watch(ref=given.ref("JOB2"))) == [True] * 3


async def test_unreachable_watch_is_still_open(store: Store, given: Given) -> None:
    """It can become active again, so there must be no second one."""
    watch = given.watch()
    await add(store, watch)
    async with store.begin() as tx:
        assert await tx.watches.mark_unreachable(watch.id, now=given.now, reason="is_archived")
        assert not await tx.watches.add(given.watch())
        assert await tx.watches.find("T1", "C1", watch.ref) is not None


async def test_ended_watch_allows_a_new_one(store: Store, given: Given) -> None:
    """A restarted job can be followed again."""
    watch = given.watch()
    await add(store, watch)
    async with store.begin() as tx:
        assert await tx.watches.end([watch.id], now=given.now, reason="the job ended") == 1
        assert await tx.watches.find("T1", "C1", watch.ref) is None
        ended = await tx.watches.get(watch.id)
    assert ended is not None
    assert (ended.state, ended.ended_at) == (WatchState.ENDED, given.now)
    assert ended.reason == "the job ended"
    assert await add(store, given.watch()) == [True]


async def test_watch_ends_once(store: Store, given: Given) -> None:
    """The first reason stays."""
    watch = given.watch()
    await add(store, watch)
    async with store.begin() as tx:
        await tx.watches.end([watch.id], now=given.now, reason="first")
        assert await tx.watches.end([watch.id, "nothing"], now=given.at(1), reason="second") == 0
        assert await tx.watches.end([], now=given.now, reason="none") == 0


async def test_only_an_unreachable_watch_can_be_reactivated(store: Store, given: Given) -> None:
    """An ended one stays ended: there may be a new one."""
    unreachable, ended = given.watch(), given.watch(channel="C2")
    await add(store, unreachable, ended)
    async with store.begin() as tx:
        await tx.watches.mark_unreachable(unreachable.id, now=given.now, reason="not_in_channel")
        await tx.watches.end([ended.id], now=given.now, reason="the job ended")
        assert await tx.watches.reactivate(unreachable.id)
        assert not await tx.watches.reactivate(ended.id)
        assert await tx.watches.get(unreachable.id) == unreachable


async def test_ended_watch_cannot_become_unreachable(store: Store, given: Given) -> None:
    """Its state is final."""
    watch = given.watch()
    await add(store, watch)
    async with store.begin() as tx:
        await tx.watches.end([watch.id], now=given.now, reason="the job ended")
        assert not await tx.watches.mark_unreachable(watch.id, now=given.now, reason="is_archived")


async def test_channel_lists_its_open_watches_with_their_jobs(store: Store, given: Given) -> None:
    """Oldest first, without ended ones and other channels'."""
    newer = given.watch(requested_at=given.at(1))
    older, ended = given.watch(ref=given.ref("JOB2")), given.watch(ref=given.ref("JOB3"))
    for watch in (newer, older, ended):
        await given.track(store, given.job(watch.ref))
    await add(store, newer, older, ended, given.watch(channel="C2"))
    async with store.begin() as tx:
        await tx.watches.end([ended.id], now=given.now, reason="the job ended")
        listed = await tx.watches.in_channel("T1", "C1")
    assert [watch for watch, _ in listed] == [older, newer]
    assert [job.ref for _, job in listed] == [older.ref, newer.ref]
    assert listed[0][1].snapshot == given.job(older.ref)


async def test_active_watches_of_jobs_are_found_by_reference(store: Store, given: Given) -> None:
    """A change is sent to all threads that follow the job, and to no others."""
    here, there = given.watch(), given.watch(channel="C2", requested_at=given.at(1))
    other = given.watch(ref=given.ref("JOB2", "builds"))
    unreachable = given.watch(channel="C3")
    await add(store, here, there, other, unreachable, given.watch(workspace="T2"))
    async with store.begin() as tx:
        await tx.watches.mark_unreachable(unreachable.id, now=given.now, reason="is_archived")
        found = await tx.watches.of_jobs("T1", [here.ref, other.ref, given.ref("JOB9")])
        assert await tx.watches.of_jobs("T1", []) == {}
    assert found == {here.ref: [here, there], other.ref: [other]}


async def test_watches_are_counted_by_state(store: Store, given: Given) -> None:
    """A state without watches counts zero."""
    await add(store, given.watch(), given.watch(channel="C2"))
    async with store.begin() as tx:
        counts = await tx.watches.count()
    assert counts == {WatchState.ACTIVE: 2, WatchState.ENDED: 0, WatchState.UNREACHABLE: 0}


async def test_pruning_deletes_old_inactive_watches_only(store: Store, given: Given) -> None:
    """An active watch of any age is kept."""
    active, ended, unreachable = (given.watch(channel=c, requested_at=given.at(-99)) for c in "ABC")
    await add(store, active, ended, unreachable)
    async with store.begin() as tx:
        await tx.watches.end([ended.id], now=given.now, reason="the job ended")
        await tx.watches.mark_unreachable(unreachable.id, now=given.now, reason="is_archived")
        assert await tx.watches.prune(given.now) == 0
        assert await tx.watches.prune(given.at(1)) == 2
        assert await tx.watches.get(active.id) == active


async def test_latest_job_of_each_connection_was_requested_last(store: Store, given: Given) -> None:
    """In a channel or in any, ended or not."""
    refs = [given.ref("old"), given.ref("here"), given.ref("there"), given.ref("1", "graphs")]
    for ref in refs:
        await given.track(store, given.job(ref))
    await add(
        store,
        given.watch(ref=refs[0]),
        given.watch(
            ref=refs[1], requested_at=given.at(1), state=WatchState.ENDED, ended_at=given.now
        ),
        given.watch(ref=refs[2], requested_at=given.at(2), channel="C2"),
        given.watch(ref=refs[3], requested_at=given.at(3), channel="C2"),
        given.watch(ref=given.ref("other"), workspace="T2"),
    )
    async with store.begin() as tx:
        assert await tx.watches.latest_jobs("T1", "C1") == [refs[1]]
        assert await tx.watches.latest_jobs("T1") == [refs[3], refs[2]]
        assert await tx.watches.latest_jobs("T3") == []


async def test_job_that_was_not_found_is_never_the_latest(store: Store, given: Given) -> None:
    """An example that users copy shows a card."""
    await given.track(store)
    await add(store, given.watch())
    async with store.begin() as tx:
        (watched,) = (await tx.jobs.get("T1", [given.ref()])).values()
        await tx.jobs.record_failure(
            watched, failures=-1, error="", failing_since=None, due_at=given.now, now=given.now
        )
        assert await tx.watches.latest_jobs("T1", "C1") == []
