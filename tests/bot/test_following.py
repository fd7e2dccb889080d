"""What a look writes down: only the one who wrote it down speaks."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest

from bot.errors import JobNotFound, JobthreadError, Unavailable
from bot.following import LOST_AFTER, TROUBLE_TOLD_AFTER, Following, Look
from bot.models import Job, JobRef, Status
from bot.store import Store, Watch, WatchedJob
from bot.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.anyio

REF = JobRef(connection="deploys", id="JOB1")
JOB = Job(ref=REF, name="api", status=Status.RUNNING)
CLOCK = ManualClock()
SECONDS = count(1)
DOWN, GONE = Unavailable("deploys is down."), JobNotFound("No such job.")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store in which one job is followed in one thread."""
    store = Store(f"sqlite:///{tmp_path / 'jobthread.db'}")
    await store.open()
    now = CLOCK.now()
    watch = Watch(id="w1", workspace="T1", channel="C1", ref=REF, asker="U1", asked_at=now)
    async with store.begin() as tx:
        await tx.watches.add(watch)
        await tx.jobs.track("T1", JOB, due_at=now, now=now)
    yield store
    await store.close()


async def read(store: Store) -> WatchedJob:
    """Return the job as a process reads it before it looks."""
    async with store.begin() as tx:
        return (await tx.jobs.get("T1", [REF]))[REF]


async def write(store: Store, watched: WatchedJob, found: Job | JobthreadError) -> None:
    """Write a look down, each at a moment of its own."""
    at = CLOCK.now() + timedelta(seconds=next(SECONDS))
    async with store.begin() as tx:
        await Following(10).write(tx, None, [Look(watched, found, at)])


async def fail(store: Store, error: JobthreadError, times: int) -> None:
    """Let so many looks fail in a row."""
    for _ in range(times):
        await write(store, await read(store), error)


async def said(store: Store) -> int:
    """Return how many messages wait to be said."""
    async with store.begin() as tx:
        return (await tx.outbox.backlog(CLOCK.now() + timedelta(days=1)))[0]


MOVED = JOB.but(status=Status.WAITING)


@pytest.mark.parametrize(
    ("error", "before"), [(DOWN, TROUBLE_TOLD_AFTER - 1), (GONE, LOST_AFTER - 1)]
)
@pytest.mark.parametrize("meanwhile", [JOB, MOVED, DOWN])
async def test_a_look_that_failed_says_nothing_when_another_one_was_written_meanwhile(
    error: JobthreadError, before: int, meanwhile: Job | JobthreadError, store: Store
) -> None:
    """Another process saw the job, moved or as it was, or failed itself and said so."""
    await fail(store, error, before)
    late = await read(store)
    await write(store, late, meanwhile)
    spoken, known = await said(store), await read(store)
    await write(store, late, error)
    assert await said(store) == spoken
    assert await read(store) == known


@pytest.mark.parametrize(("error", "times"), [(DOWN, TROUBLE_TOLD_AFTER), (GONE, LOST_AFTER)])
async def test_who_wrote_the_last_of_many_failures_says_so_once(
    error: JobthreadError, times: int, store: Store
) -> None:
    """Not before, and not again."""
    await fail(store, error, times - 1)
    spoken = await said(store)
    await fail(store, error, 1)
    assert await said(store) > spoken


async def test_a_look_that_comes_late_does_not_take_back_what_was_said_of_trouble(
    store: Store,
) -> None:
    """The next one does, and then the thread hears that all is well."""
    await fail(store, DOWN, TROUBLE_TOLD_AFTER - 1)
    late = await read(store)
    await fail(store, DOWN, 1)
    spoken = await said(store)
    await write(store, late, JOB)
    assert (await read(store)).trouble == DOWN.sentence
    await write(store, await read(store), JOB)
    assert (await read(store)).trouble == ""
    assert await said(store) > spoken


async def test_a_job_that_is_gone_is_looked_at_no_more(store: Store) -> None:
    """Its watch ends with the last look."""
    await fail(store, GONE, LOST_AFTER)
    assert (await read(store)).due_at is None
    async with store.begin() as tx:
        assert await tx.watches.living() == []
