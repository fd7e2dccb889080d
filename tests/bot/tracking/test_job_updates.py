"""Only the process that stores a poll result sends notifications."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest

from bot.providers.renderer import JobRenderer
from bot.sdk.errors import JobNotFound, JobthreadError, Unavailable
from bot.sdk.models import Job, JobRef, Status
from bot.sdk.testing import ManualClock
from bot.store import Store, Watch, WatchedJob
from bot.tracking.job_updates import (
    FAILURES_BEFORE_NOTICE,
    NOT_FOUND_BEFORE_END,
    JobUpdates,
    PollResult,
)

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
    """A store with one job that is followed in one thread."""
    store = Store(f"sqlite:///{tmp_path / 'jobthread.db'}")
    await store.open()
    now = CLOCK.now()
    watch = Watch(id="w1", workspace="T1", channel="C1", ref=REF, asker="U1", requested_at=now)
    async with store.begin() as tx:
        await tx.watches.add(watch)
        await tx.jobs.track("T1", JOB, due_at=now, now=now)
    yield store
    await store.close()


async def read_job(store: Store) -> WatchedJob:
    """Return the stored job, as a process reads it before a poll."""
    async with store.begin() as tx:
        return (await tx.jobs.get("T1", [REF]))[REF]


async def apply_result(store: Store, watched: WatchedJob, found: Job | JobthreadError) -> None:
    """Apply a poll result, each one a second later."""
    at = CLOCK.now() + timedelta(seconds=next(SECONDS))
    async with store.begin() as tx:
        await JobUpdates(10).apply(tx, JobRenderer(), [PollResult(watched, found, at)])


async def fail_polls(store: Store, error: JobthreadError, times: int) -> None:
    """Apply this many failed polls in a row."""
    for _ in range(times):
        await apply_result(store, await read_job(store), error)


async def outbox_size(store: Store) -> int:
    """Return the number of messages in the outbox."""
    async with store.begin() as tx:
        return (await tx.outbox.backlog(CLOCK.now() + timedelta(days=1)))[0]


MOVED = JOB.replace(status=Status.WAITING)


@pytest.mark.parametrize(
    ("error", "before"), [(DOWN, FAILURES_BEFORE_NOTICE - 1), (GONE, NOT_FOUND_BEFORE_END - 1)]
)
@pytest.mark.parametrize("meanwhile", [JOB, MOVED, DOWN])
async def test_stale_failure_sends_no_notification(
    error: JobthreadError, before: int, meanwhile: Job | JobthreadError, store: Store
) -> None:
    """Another process has stored a change, the same state, or its own failure."""
    await fail_polls(store, error, before)
    late = await read_job(store)
    await apply_result(store, late, meanwhile)
    before_write, known = await outbox_size(store), await read_job(store)
    await apply_result(store, late, error)
    assert await outbox_size(store) == before_write
    assert await read_job(store) == known


@pytest.mark.parametrize(
    ("error", "times"), [(DOWN, FAILURES_BEFORE_NOTICE), (GONE, NOT_FOUND_BEFORE_END)]
)
async def test_last_of_several_failures_notifies_once(
    error: JobthreadError, times: int, store: Store
) -> None:
    """Neither an earlier nor a later failure sends the notification."""
    await fail_polls(store, error, times - 1)
    before_write = await outbox_size(store)
    await fail_polls(store, error, 1)
    assert await outbox_size(store) > before_write


async def test_stale_success_does_not_clear_a_reported_failure(
    store: Store,
) -> None:
    """The next result clears it and notifies the thread."""
    await fail_polls(store, DOWN, FAILURES_BEFORE_NOTICE - 1)
    late = await read_job(store)
    await fail_polls(store, DOWN, 1)
    before_write = await outbox_size(store)
    await apply_result(store, late, JOB)
    assert (await read_job(store)).error == DOWN.sentence
    await apply_result(store, await read_job(store), JOB)
    assert (await read_job(store)).error == ""
    assert await outbox_size(store) > before_write


async def test_missing_job_is_not_polled_again(store: Store) -> None:
    """Its watch ends with the last poll."""
    await fail_polls(store, GONE, NOT_FOUND_BEFORE_END)
    assert (await read_job(store)).due_at is None
    async with store.begin() as tx:
        assert await tx.watches.list_open() == []
