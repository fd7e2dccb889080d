"""Watched jobs, on both databases: one poll result at a time is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.sdk.models import Detail, Status, Task

if TYPE_CHECKING:
    from bot.store import Store, WatchedJob
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


async def stored_job(store: Store, given: Given) -> WatchedJob:
    """Return the one job as stored."""
    async with store.begin() as tx:
        return (await tx.jobs.get("T1", [given.ref()]))[given.ref()]


async def test_stored_job_keeps_every_field(store: Store, given: Given) -> None:
    """Tasks, details and special characters, too."""
    task = Task(id="1", name="Näme 任务", status=Status.FAILED, finished_at=given.at(0.000001))
    detail = Detail(label="version", value="1.2")
    job = given.job(tasks=(task,), details=(detail,), message="line\nline", created_at=given.now)
    await given.track(store, job)
    watched = await stored_job(store, given)
    assert watched.snapshot == job
    assert (watched.revision, watched.polled_at, watched.due_at) == (1, given.now, given.now)


async def test_unknown_job_is_left_out(store: Store, given: Given) -> None:
    """It is no error."""
    async with store.begin() as tx:
        assert await tx.jobs.get("T1", [given.ref("nothing")]) == {}
        assert await tx.jobs.get("T1", []) == {}


async def test_tracking_a_known_job_keeps_its_snapshot(store: Store, given: Given) -> None:
    """A second thread does not swallow a change that the first must get."""
    await given.track(store, seconds=5)
    await given.track(store, given.job(status=Status.FAILED), seconds=60)
    watched = await stored_job(store, given)
    assert (watched.revision, watched.snapshot, watched.due_at) == (1, given.job(), given.at(5))


async def test_tracking_a_stopped_job_restarts_polling(store: Store, given: Given) -> None:
    """A job that ended can be followed again."""
    await given.track(store)
    async with store.begin() as tx:
        assert await tx.jobs.sleep_unwatched() == 1
    await given.track(store, seconds=60)
    assert (await stored_job(store, given)).due_at == given.at(60)


async def test_known_job_can_be_woken_without_a_snapshot(store: Store, given: Given) -> None:
    """A reactivated watch has its job polled again."""
    await given.track(store)
    async with store.begin() as tx:
        await tx.jobs.sleep_unwatched()
        assert await tx.jobs.wake("T1", given.ref(), due_at=given.at(3))
        assert not await tx.jobs.wake("T1", given.ref("nothing"), due_at=given.at(3))
    assert (await stored_job(store, given)).due_at == given.at(3)


async def test_longest_overdue_jobs_are_due_first(store: Store, given: Given) -> None:
    """Jobs of other connections and jobs that are not due are left out."""
    for id_, seconds in (("late", -1), ("later", -9), ("latest", -20), ("soon", 1)):
        await given.track(store, given.job(given.ref(id_)), seconds=seconds)
    await given.track(store, given.job(given.ref("late", "builds")))
    async with store.begin() as tx:
        due = await tx.jobs.due("deploys", shards=(0, 1), now=given.now, limit=2)
    assert [watched.ref.id for watched in due] == ["latest", "later"]


async def test_each_job_belongs_to_exactly_one_shard(store: Store, given: Given) -> None:
    """For any number of shards, each job is in one of them."""
    ids = [f"JOB{number}" for number in range(40)]
    for id_ in ids:
        await given.track(store, given.job(given.ref(id_)))
    async with store.begin() as tx:
        shares = [
            await tx.jobs.due("deploys", shards=(k, 3), now=given.now, limit=99) for k in range(3)
        ]
    assert sorted(job.ref.id for share in shares for job in share) == sorted(ids)
    assert all(shares)


async def test_next_due_time_is_that_of_the_shards_first_job(store: Store, given: Given) -> None:
    """The poller sleeps until then, and not at all if it is late."""
    await given.track(store, seconds=30)
    await given.track(store, given.job(given.ref("JOB2")), seconds=20)
    async with store.begin() as tx:
        assert await tx.jobs.next_due("deploys", (0, 1), given.now) == given.at(20)
        assert await tx.jobs.next_due("deploys", (0, 1), given.at(25)) == given.at(25)
        assert await tx.jobs.next_due("builds", (0, 1), given.now) is None


async def test_poll_without_a_change_only_moves_the_next_poll(store: Store, given: Given) -> None:
    """It clears the error and keeps the revision."""
    await given.track(store)
    before = await stored_job(store, given)
    async with store.begin() as tx:
        trouble = {"failures": 2, "error": "It is down.", "failing_since": given.now}
        assert await tx.jobs.record_failure(before, **trouble, due_at=given.at(5), now=given.at(1))
        assert not await tx.jobs.record_failure(
            before, **trouble, due_at=given.at(9), now=given.at(2)
        )
        await tx.jobs.touch([(before, given.at(30))], given.at(3))
    failing = await stored_job(store, given)
    assert (failing.due_at, failing.failures) == (given.at(5), 2)
    async with store.begin() as tx:
        await tx.jobs.touch([(failing, given.at(20))], given.at(5))
    after = await stored_job(store, given)
    assert (after.due_at, after.polled_at, after.revision) == (given.at(20), given.at(5), 1)
    assert (after.failures, after.error, after.failing_since) == (0, "", None)


async def test_many_unchanged_polls_are_stored_at_once(store: Store, given: Given) -> None:
    """Each has its own next time; an empty list is no error."""
    refs = [given.ref(f"JOB{number}") for number in range(5)]
    for ref in refs:
        await given.track(store, given.job(ref))
    async with store.begin() as tx:
        jobs = await tx.jobs.get("T1", refs)
        polls = [(jobs[ref], given.at(10 + n)) for n, ref in enumerate(refs)]
        await tx.jobs.touch(polls, given.now)
        await tx.jobs.touch([], given.now)
        after = await tx.jobs.get("T1", refs)
    assert [after[ref].due_at for ref in refs] == [given.at(10 + n) for n in range(5)]


async def test_failed_poll_stores_its_error(store: Store, given: Given) -> None:
    """With its start and number; the snapshot stays."""
    await given.track(store)
    async with store.begin() as tx:
        await tx.jobs.record_failure(
            (await tx.jobs.get("T1", [given.ref()]))[given.ref()],
            failures=3,
            error="It is down.",
            failing_since=given.at(-60),
            due_at=given.at(30),
            now=given.at(1),
        )
    after = await stored_job(store, given)
    assert (after.failures, after.error, after.failing_since) == (3, "It is down.", given.at(-60))
    assert (after.due_at, after.polled_at, after.snapshot) == (
        given.at(30),
        given.at(1),
        given.job(),
    )


async def test_one_of_two_concurrent_changes_is_stored(store: Store, given: Given) -> None:
    """The outdated one learns that it lost, and notifies no thread."""
    await given.track(store)
    seen = await stored_job(store, given)
    failed = given.job(status=Status.FAILED)
    async with store.begin() as tx:
        assert await tx.jobs.compare_and_set(seen, failed, due_at=None, now=given.at(1))
        assert not await tx.jobs.compare_and_set(
            seen, given.job(), due_at=given.at(9), now=given.at(2)
        )
    after = await stored_job(store, given)
    assert (after.revision, after.snapshot, after.due_at) == (2, failed, None)


async def test_poll_older_than_a_change_moves_nothing(store: Store, given: Given) -> None:
    """A slow poller does not undo a faster one's result."""
    await given.track(store)
    old = await stored_job(store, given)
    async with store.begin() as tx:
        await tx.jobs.compare_and_set(old, given.job(name="new"), due_at=given.at(9), now=given.now)
        await tx.jobs.touch([(old, given.at(99))], given.now)
    assert (await stored_job(store, given)).due_at == given.at(9)


async def test_job_without_an_active_watch_is_not_polled(store: Store, given: Given) -> None:
    """An unreachable watch does not count."""
    watch, unreachable = given.watch(), given.watch(ref=given.ref("JOB2"))
    for ref in (watch.ref, unreachable.ref):
        await given.track(store, given.job(ref))
    async with store.begin() as tx:
        await tx.watches.add(watch)
        await tx.watches.add(unreachable)
        await tx.watches.mark_unreachable(unreachable.id, now=given.now, reason="is_archived")
        assert await tx.jobs.sleep_unwatched() == 1
        due = await tx.jobs.due("deploys", shards=(0, 1), now=given.now, limit=9)
    assert [job.ref for job in due] == [watch.ref]


async def test_job_stopped_during_its_poll_stays_stopped(store: Store, given: Given) -> None:
    """A late result does not restart polling."""
    await given.track(store)
    seen = await stored_job(store, given)
    async with store.begin() as tx:
        await tx.jobs.sleep_unwatched()
        await tx.jobs.touch([(seen, given.at(9))], given.now)
        await tx.jobs.record_failure(
            seen, failures=1, error="", failing_since=None, due_at=given.at(9), now=given.now
        )
    assert (await stored_job(store, given)).due_at is None


async def test_only_the_named_jobs_are_stopped(store: Store, given: Given) -> None:
    """The end of one watch costs one check, for any number of jobs."""
    for id_ in ("JOB1", "JOB2"):
        await given.track(store, given.job(given.ref(id_)))
    async with store.begin() as tx:
        assert await tx.jobs.sleep_unwatched("T1", [given.ref("JOB1")]) == 1
        due = await tx.jobs.due("deploys", shards=(0, 1), now=given.now, limit=9)
    assert [job.ref.id for job in due] == ["JOB2"]


async def test_connections_are_those_with_polled_jobs(store: Store, given: Given) -> None:
    """A connection whose jobs have all ended needs no poller."""
    await given.track(store, given.job(given.ref("1", "deploys")))
    await given.track(store, given.job(given.ref("1", "builds")))
    async with store.begin() as tx:
        assert await tx.jobs.connections() == ["builds", "deploys"]
        await tx.jobs.sleep_unwatched()
        assert await tx.jobs.connections() == []


async def test_pruning_deletes_stopped_jobs_without_open_watch(store: Store, given: Given) -> None:
    """A polled job, or one with an unreachable watch, is kept."""
    unreachable = given.watch(ref=given.ref("unreachable"))
    for id_ in ("stopped", "unreachable"):
        await given.track(store, given.job(given.ref(id_)))
    async with store.begin() as tx:
        await tx.watches.add(unreachable)
        await tx.watches.mark_unreachable(unreachable.id, now=given.now, reason="is_archived")
        await tx.jobs.sleep_unwatched()
    await given.track(store, given.job(given.ref("polled")))
    async with store.begin() as tx:
        assert await tx.jobs.prune(given.now) == 0
        assert await tx.jobs.prune(given.at(1)) == 1
        refs = [given.ref(id_) for id_ in ("stopped", "unreachable", "polled")]
        assert set(await tx.jobs.get("T1", refs)) == set(refs[1:])
