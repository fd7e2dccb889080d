"""The watched jobs, in both stores: one look at a time wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.models import Detail, Status, Task

if TYPE_CHECKING:
    from bot.store import Store, WatchedJob
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


async def known(store: Store, given: Given) -> WatchedJob:
    """Return the one job as the store knows it."""
    async with store.begin() as tx:
        return (await tx.jobs.get("T1", [given.ref()]))[given.ref()]


async def test_a_job_comes_back_as_it_was_seen(store: Store, given: Given) -> None:
    """Tasks, details and odd characters survive."""
    task = Task(id="1", name="Näme 任务", status=Status.FAILED, finished_at=given.at(0.000001))
    detail = Detail(label="version", value="1.2")
    job = given.job(tasks=(task,), details=(detail,), message="line\nline", created_at=given.now)
    await given.track(store, job)
    watched = await known(store, given)
    assert watched.seen == job
    assert (watched.revision, watched.checked_at, watched.due_at) == (1, given.now, given.now)


async def test_an_unknown_job_is_left_out(store: Store, given: Given) -> None:
    """Asking for jobs that nobody follows is no error."""
    async with store.begin() as tx:
        assert await tx.jobs.get("T1", [given.ref("nothing")]) == {}
        assert await tx.jobs.get("T1", []) == {}


async def test_tracking_a_known_job_keeps_what_was_seen(store: Store, given: Given) -> None:
    """A second thread on a job does not swallow a change that the first must hear of."""
    await given.track(store, seconds=5)
    await given.track(store, given.job(status=Status.FAILED), seconds=60)
    watched = await known(store, given)
    assert (watched.revision, watched.seen, watched.due_at) == (1, given.job(), given.at(5))


async def test_tracking_a_sleeping_job_wakes_it(store: Store, given: Given) -> None:
    """A job that ended and is followed again is looked at again."""
    await given.track(store)
    async with store.begin() as tx:
        assert await tx.jobs.settle() == 1
    await given.track(store, seconds=60)
    assert (await known(store, given)).due_at == given.at(60)


async def test_a_known_job_can_be_woken_without_a_look(store: Store, given: Given) -> None:
    """A revived watch has its job looked at again."""
    await given.track(store)
    async with store.begin() as tx:
        await tx.jobs.settle()
        assert await tx.jobs.wake("T1", given.ref(), due_at=given.at(3))
        assert not await tx.jobs.wake("T1", given.ref("nothing"), due_at=given.at(3))
    assert (await known(store, given)).due_at == given.at(3)


async def test_the_longest_overdue_jobs_are_looked_at_first(store: Store, given: Given) -> None:
    """Nothing starves; what is not due and other connections' jobs are left alone."""
    for id_, seconds in (("late", -1), ("later", -9), ("latest", -20), ("soon", 1)):
        await given.track(store, given.job(given.ref(id_)), seconds=seconds)
    await given.track(store, given.job(given.ref("late", "builds")))
    async with store.begin() as tx:
        due = await tx.jobs.due("deploys", shards=(0, 1), now=given.now, limit=2)
    assert [watched.ref.id for watched in due] == ["latest", "later"]


async def test_each_job_belongs_to_exactly_one_shard(store: Store, given: Given) -> None:
    """However the shards are shared out, every job is somebody's and nobody's twice."""
    ids = [f"JOB{number}" for number in range(40)]
    for id_ in ids:
        await given.track(store, given.job(given.ref(id_)))
    async with store.begin() as tx:
        shares = [
            await tx.jobs.due("deploys", shards=(k, 3), now=given.now, limit=99) for k in range(3)
        ]
    assert sorted(job.ref.id for share in shares for job in share) == sorted(ids)
    assert all(shares)


async def test_the_next_moment_is_that_of_the_first_job_of_the_shard(
    store: Store, given: Given
) -> None:
    """The poller sleeps exactly that long, and not at all when it is late."""
    await given.track(store, seconds=30)
    await given.track(store, given.job(given.ref("JOB2")), seconds=20)
    async with store.begin() as tx:
        assert await tx.jobs.next_due("deploys", (0, 1), given.now) == given.at(20)
        assert await tx.jobs.next_due("deploys", (0, 1), given.at(25)) == given.at(25)
        assert await tx.jobs.next_due("builds", (0, 1), given.now) is None


async def test_a_look_without_a_change_only_moves_the_next_look(store: Store, given: Given) -> None:
    """It clears what trouble there was, and leaves the revision."""
    await given.track(store)
    before = await known(store, given)
    async with store.begin() as tx:
        trouble = {"failures": 2, "trouble": "It is down.", "trouble_since": given.now}
        assert await tx.jobs.failed(before, **trouble, due_at=given.at(5), now=given.at(1))
        assert not await tx.jobs.failed(before, **trouble, due_at=given.at(9), now=given.at(2))
        await tx.jobs.unchanged([(before, given.at(30))], given.at(3))
    troubled = await known(store, given)
    assert (troubled.due_at, troubled.failures) == (given.at(5), 2)
    async with store.begin() as tx:
        await tx.jobs.unchanged([(troubled, given.at(20))], given.at(5))
    after = await known(store, given)
    assert (after.due_at, after.checked_at, after.revision) == (given.at(20), given.at(5), 1)
    assert (after.failures, after.trouble, after.trouble_since) == (0, "", None)


async def test_many_looks_without_a_change_are_written_at_once(store: Store, given: Given) -> None:
    """Each gets its own next moment; none is no error."""
    refs = [given.ref(f"JOB{number}") for number in range(5)]
    for ref in refs:
        await given.track(store, given.job(ref))
    async with store.begin() as tx:
        jobs = await tx.jobs.get("T1", refs)
        looks = [(jobs[ref], given.at(10 + n)) for n, ref in enumerate(refs)]
        await tx.jobs.unchanged(looks, given.now)
        await tx.jobs.unchanged([], given.now)
        after = await tx.jobs.get("T1", refs)
    assert [after[ref].due_at for ref in refs] == [given.at(10 + n) for n in range(5)]


async def test_a_failed_look_notes_the_trouble(store: Store, given: Given) -> None:
    """What was seen stays; the sentence, since when and how often are kept."""
    await given.track(store)
    async with store.begin() as tx:
        await tx.jobs.failed(
            (await tx.jobs.get("T1", [given.ref()]))[given.ref()],
            failures=3,
            trouble="It is down.",
            trouble_since=given.at(-60),
            due_at=given.at(30),
            now=given.at(1),
        )
    after = await known(store, given)
    assert (after.failures, after.trouble, after.trouble_since) == (3, "It is down.", given.at(-60))
    assert (after.due_at, after.checked_at, after.seen) == (given.at(30), given.at(1), given.job())


async def test_of_two_who_saw_a_change_one_writes_it(store: Store, given: Given) -> None:
    """The one whose revision is old is told so, and tells nobody of the change."""
    await given.track(store)
    seen = await known(store, given)
    failed = given.job(status=Status.FAILED)
    async with store.begin() as tx:
        assert await tx.jobs.changed(seen, failed, due_at=None, now=given.at(1))
        assert not await tx.jobs.changed(seen, given.job(), due_at=given.at(9), now=given.at(2))
    after = await known(store, given)
    assert (after.revision, after.seen, after.due_at) == (2, failed, None)


async def test_a_look_older_than_a_change_moves_nothing(store: Store, given: Given) -> None:
    """A slow poller does not undo what a faster one wrote."""
    await given.track(store)
    old = await known(store, given)
    async with store.begin() as tx:
        await tx.jobs.changed(old, given.job(name="new"), due_at=given.at(9), now=given.now)
        await tx.jobs.unchanged([(old, given.at(99))], given.now)
    assert (await known(store, given)).due_at == given.at(9)


async def test_a_job_that_nobody_follows_falls_asleep(store: Store, given: Given) -> None:
    """A parked watch keeps nobody awake; an active one does."""
    watch, parked = given.watch(), given.watch(ref=given.ref("JOB2"))
    for ref in (watch.ref, parked.ref):
        await given.track(store, given.job(ref))
    async with store.begin() as tx:
        await tx.watches.add(watch)
        await tx.watches.add(parked)
        await tx.watches.park(parked.id, now=given.now, reason="is_archived")
        assert await tx.jobs.settle() == 1
        due = await tx.jobs.due("deploys", shards=(0, 1), now=given.now, limit=9)
    assert [job.ref for job in due] == [watch.ref]


async def test_a_job_put_to_sleep_while_it_was_asked_for_stays_asleep(
    store: Store, given: Given
) -> None:
    """The answer that comes too late does not start the polling again."""
    await given.track(store)
    seen = await known(store, given)
    async with store.begin() as tx:
        await tx.jobs.settle()
        await tx.jobs.unchanged([(seen, given.at(9))], given.now)
        await tx.jobs.failed(
            seen, failures=1, trouble="", trouble_since=None, due_at=given.at(9), now=given.now
        )
    assert (await known(store, given)).due_at is None


async def test_only_the_named_jobs_fall_asleep_when_some_are_named(
    store: Store, given: Given
) -> None:
    """The end of one watch costs one look, however many jobs there are."""
    for id_ in ("JOB1", "JOB2"):
        await given.track(store, given.job(given.ref(id_)))
    async with store.begin() as tx:
        assert await tx.jobs.settle("T1", [given.ref("JOB1")]) == 1
        due = await tx.jobs.due("deploys", shards=(0, 1), now=given.now, limit=9)
    assert [job.ref.id for job in due] == ["JOB2"]


async def test_connections_are_those_with_jobs_to_look_at(store: Store, given: Given) -> None:
    """A connection whose jobs have all ended needs no poller."""
    await given.track(store, given.job(given.ref("1", "deploys")))
    await given.track(store, given.job(given.ref("1", "builds")))
    async with store.begin() as tx:
        assert await tx.jobs.connections() == ["builds", "deploys"]
        await tx.jobs.settle()
        assert await tx.jobs.connections() == []


async def test_pruning_takes_sleeping_jobs_that_nobody_may_revive(
    store: Store, given: Given
) -> None:
    """A job with a due look or a parked watch is kept."""
    parked = given.watch(ref=given.ref("parked"))
    for id_ in ("asleep", "parked"):
        await given.track(store, given.job(given.ref(id_)))
    async with store.begin() as tx:
        await tx.watches.add(parked)
        await tx.watches.park(parked.id, now=given.now, reason="is_archived")
        await tx.jobs.settle()
    await given.track(store, given.job(given.ref("awake")))
    async with store.begin() as tx:
        assert await tx.jobs.prune(given.now) == 0
        assert await tx.jobs.prune(given.at(1)) == 1
        refs = [given.ref(id_) for id_ in ("asleep", "parked", "awake")]
        assert set(await tx.jobs.get("T1", refs)) == set(refs[1:])
