"""Batch polling of Explorer's jobs: the list shows which of them changed."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from bot.sdk.errors import CredentialsRefused, JobNotFound, JobthreadError, Unavailable
from bot.sdk.models import Job, JobRef, Status
from bot.sdk.testing import Fault, ManualClock
from plugins.nebula_explorer import MAX_DETAIL_FETCHES, NebulaExplorer
from plugins.nebula_explorer.script import PREPARING, RUNNING, STOPPING, SUCCESS
from plugins.nebula_explorer.simulator import Simulator
from tests.plugins.fixtures import pass_last_seen_jobs

pytestmark = pytest.mark.anyio


def refs_of(ids: Sequence[str]) -> list[JobRef]:
    return [JobRef(connection="acme", id=id_) for id_ in ids]


def add_running(simulator: Simulator, number: int, **fields: Any) -> list[JobRef]:
    """Add so many running jobs."""
    task = {"id": "t", "name": "BFS", "status": RUNNING}
    return refs_of([simulator.put(f"N{n}", tasks=[task], **fields) for n in range(number)])


async def poll_again(
    explorer: NebulaExplorer, simulator: Simulator, refs: Sequence[JobRef], **options: Any
) -> tuple[dict[JobRef, Job | JobthreadError], list[str]]:
    """Poll again; return the jobs found and the operations called."""
    before = len(simulator.calls)
    found = await explorer.fetch_jobs(refs, **options)
    return found, simulator.operations[before:]


@pytest.fixture(autouse=True)
def last_seen_jobs(explorer: NebulaExplorer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider gets the jobs seen before."""
    pass_last_seen_jobs(explorer, monkeypatch)


async def test_unseen_jobs_are_fetched_one_by_one(
    explorer: NebulaExplorer, simulator: Simulator
) -> None:
    """The list omits their tasks."""
    refs = add_running(simulator, 30)
    found, operations = await poll_again(explorer, simulator, refs)
    assert all(isinstance(job, Job) and job.tasks for job in found.values())
    assert sorted(operations) == sorted(["connect", *(ref.id for ref in refs)])


async def test_unchanged_jobs_share_one_call(
    explorer: NebulaExplorer, simulator: Simulator
) -> None:
    """The tasks of a few are fetched in rotation."""
    refs = add_running(simulator, 100)
    first, _ = await poll_again(explorer, simulator, refs)
    second, operations = await poll_again(explorer, simulator, refs)
    assert second == first
    assert operations.count("jobs") == 1
    assert len(operations) == 1 + MAX_DETAIL_FETCHES


async def test_every_jobs_tasks_are_fetched_in_rotation(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """The card of a running job stays up to date."""
    refs = add_running(simulator, 20)
    await explorer.fetch_jobs(refs)
    seen: set[str] = set()
    for _ in range(20 // MAX_DETAIL_FETCHES):
        await clock.advance(10)
        _, operations = await poll_again(explorer, simulator, refs)
        seen |= set(operations)
    assert seen >= {ref.id for ref in refs}


@pytest.mark.parametrize("code", [SUCCESS, STOPPING, 9])
async def test_job_with_a_changed_status_is_fetched(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock, code: int
) -> None:
    """It is no longer in the list of its old status."""
    refs = add_running(simulator, 50)
    await explorer.fetch_jobs(refs)
    await clock.advance(10)
    simulator.override(refs[40].id, status=code, tasks=[])
    found, operations = await poll_again(explorer, simulator, refs)
    job = found[refs[40]]
    assert isinstance(job, Job)
    assert refs[40].id in operations
    assert job == await explorer.fetch_job(refs[40])


async def test_missing_job_is_reported(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """The others are still returned."""
    refs = add_running(simulator, 50)
    await explorer.fetch_jobs(refs)
    await clock.advance(10)
    del simulator._jobs[int(refs[40].id)]
    found, _ = await poll_again(explorer, simulator, refs)
    assert isinstance(found[refs[40]], JobNotFound)
    assert sum(isinstance(job, Job) for job in found.values()) == 49


async def test_each_status_has_its_own_list(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """Preparing, running and stopping jobs are last_seen_jobs by lists."""
    refs = [
        ref
        for code in (PREPARING, RUNNING, STOPPING)
        for ref in add_running(simulator, 10, status=code)
    ]
    await explorer.fetch_jobs(refs)
    await clock.advance(10)
    _, operations = await poll_again(explorer, simulator, refs)
    assert operations.count("jobs") == 3
    assert len(operations) == 3 + MAX_DETAIL_FETCHES


@pytest.mark.parametrize("largest", [1000, 40])
async def test_long_list_is_read_page_by_page(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock, largest: int
) -> None:
    """The page size of Explorer may vary."""
    simulator.max_page_size = largest
    refs = add_running(simulator, 230)
    await explorer.fetch_jobs(refs)
    await clock.advance(10)
    _, operations = await poll_again(explorer, simulator, refs)
    assert operations.count("jobs") == -(-230 // min(largest, 100))
    assert len(operations) == operations.count("jobs") + MAX_DETAIL_FETCHES


async def test_concurrent_batches_share_one_list(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """Ten batches of a hundred do not read ten pages each."""
    refs = add_running(simulator, 1000)
    batches = [refs[n : n + 100] for n in range(0, 1000, 100)]
    await asyncio.gather(*map(explorer.fetch_jobs, batches))
    await clock.advance(10)
    before = len(simulator.calls)
    await asyncio.gather(*map(explorer.fetch_jobs, batches))
    operations = simulator.operations[before:]
    assert operations.count("jobs") == 10
    assert len(operations) == 10 + 10 * MAX_DETAIL_FETCHES


async def test_list_is_cached_briefly(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """The next poll reads it again."""
    refs = add_running(simulator, 50)
    await explorer.fetch_jobs(refs)
    for seconds, lists in ((0, 1), (2, 0), (0.1, 1)):
        await clock.advance(seconds)
        assert (await poll_again(explorer, simulator, refs))[1].count("jobs") == lists


async def test_few_jobs_need_no_list(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """Their tasks are always up to date."""
    refs = add_running(simulator, MAX_DETAIL_FETCHES)
    for _ in range(2):
        await clock.advance(10)
        _, operations = await poll_again(explorer, simulator, refs)
    assert sorted(operations) == [ref.id for ref in refs]


async def test_unchanged_job_is_returned_as_last_seen(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """Another process, or this one before a restart, may have seen it."""
    refs = add_running(simulator, 50)
    await explorer.fetch_jobs(refs, {})
    await clock.advance(10)
    seen = {
        ref: Job(ref=ref, name="as seen", status=Status.RUNNING, native_status="Running")
        for ref in refs
    }
    found, operations = await poll_again(explorer, simulator, refs, known=seen)
    assert sum(job == seen[ref] for ref, job in found.items()) == 50 - MAX_DETAIL_FETCHES
    assert len(operations) == 1 + MAX_DETAIL_FETCHES
    _, operations = await poll_again(explorer, simulator, refs, known={})
    assert len(operations) == 50


@pytest.mark.parametrize(
    "fault", [Fault(404, {"code": 40404000}), Fault(200, {"code": 0, "data": {}}), Fault(404, "")]
)
async def test_jobs_are_fetched_singly_without_a_list(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock, fault: Fault
) -> None:
    """A missing list must not end a thread."""
    refs = add_running(simulator, 50)
    first = await explorer.fetch_jobs(refs)
    await clock.advance(10)
    simulator.faults.plan(fault)
    second, operations = await poll_again(explorer, simulator, refs)
    assert second == first
    assert len(operations) == 1 + 50


async def test_server_error_applies_to_the_whole_batch(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """One call serves all jobs and batches."""
    refs = add_running(simulator, 100)
    await explorer.fetch_jobs(refs)
    await clock.advance(10)
    before = len(simulator.calls)
    simulator.faults.plan(Fault(503), times=None)
    batches = (explorer.fetch_jobs(refs[n : n + 10]) for n in range(0, 100, 10))
    errors = await asyncio.gather(*batches, return_exceptions=True)
    assert {type(error) for error in errors} == {Unavailable}
    assert len(simulator.calls) == before + 1


async def test_rejected_account_applies_to_the_whole_batch(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """No further sign-in is made for each job."""
    refs = add_running(simulator, 50)
    await explorer.fetch_jobs(refs)
    await clock.advance(10)
    simulator.fail_calls(40104000, times=None)
    with pytest.raises(CredentialsRefused):
        await explorer.fetch_jobs(refs)


async def test_unfiltered_list_is_not_read_to_its_end(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """It would hold every job ever created."""
    simulator.applies_filters = False
    refs = add_running(simulator, 50, createTime=1)
    for n in range(500):
        simulator.put(f"old {n}", status=SUCCESS, createTime=2)
    first = await explorer.fetch_jobs(refs)
    await clock.advance(10)
    second, operations = await poll_again(explorer, simulator, refs)
    assert second == first
    assert operations.count("jobs") == 1
