"""Many jobs of an Explorer at once: the list tells which of them changed."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from bot.errors import CredentialsRefused, JobNotFound, JobthreadError, Unavailable
from bot.models import Job, JobRef, Status
from bot.testing import Fault, ManualClock
from plugins.nebula_explorer import DETAILS, NebulaExplorer
from plugins.nebula_explorer.script import PREPARING, RUNNING, STOPPING, SUCCESS
from plugins.nebula_explorer.simulator import Simulator

pytestmark = pytest.mark.anyio


def refs_of(ids: Sequence[str]) -> list[JobRef]:
    return [JobRef(connection="acme", id=id_) for id_ in ids]


def running(simulator: Simulator, number: int, **fields: Any) -> list[JobRef]:
    """Let the simulator hold so many jobs that run."""
    task = {"id": "t", "name": "BFS", "status": RUNNING}
    return refs_of([simulator.put(f"N{n}", tasks=[task], **fields) for n in range(number)])


async def again(
    explorer: NebulaExplorer, simulator: Simulator, refs: Sequence[JobRef], **options: Any
) -> tuple[dict[JobRef, Job | JobthreadError], list[str]]:
    """Look once more; return what was found and what was asked for."""
    before = len(simulator.calls)
    found = await explorer.fetch_jobs(refs, **options)
    return found, simulator.asked[before:]


@pytest.fixture(autouse=True)
def polled(explorer: NebulaExplorer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was seen before is handed in, as the poller does; nothing else is remembered."""
    seen: dict[JobRef, Job] = {}
    fetch = explorer.fetch_jobs

    async def fetch_jobs(
        refs: Sequence[JobRef], known: Mapping[JobRef, Job] | None = None
    ) -> dict[JobRef, Job | JobthreadError]:
        before = dict(seen) if known is None else known
        found = await fetch(refs, {ref: before[ref] for ref in refs if ref in before})
        seen.update({ref: job for ref, job in found.items() if isinstance(job, Job)})
        return found

    monkeypatch.setattr(explorer, "fetch_jobs", fetch_jobs)


async def test_jobs_that_were_never_seen_are_asked_for_one_by_one(
    explorer: NebulaExplorer, simulator: Simulator
) -> None:
    """The list does not tell their tasks."""
    refs = running(simulator, 30)
    found, asked = await again(explorer, simulator, refs)
    assert all(isinstance(job, Job) and job.tasks for job in found.values())
    assert sorted(asked) == sorted(["connect", *(ref.id for ref in refs)])


async def test_jobs_that_go_on_unchanged_share_one_call(
    explorer: NebulaExplorer, simulator: Simulator
) -> None:
    """Save for a few, whose tasks are looked at in turn."""
    refs = running(simulator, 100)
    first, _ = await again(explorer, simulator, refs)
    second, asked = await again(explorer, simulator, refs)
    assert second == first
    assert asked.count("jobs") == 1
    assert len(asked) == 1 + DETAILS


async def test_every_jobs_tasks_are_looked_at_in_turn(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """A running job's card does not stand still for ever."""
    refs = running(simulator, 20)
    await explorer.fetch_jobs(refs)
    seen: set[str] = set()
    for _ in range(20 // DETAILS):
        await clock.advance(10)
        _, asked = await again(explorer, simulator, refs)
        seen |= set(asked)
    assert seen >= {ref.id for ref in refs}


@pytest.mark.parametrize("code", [SUCCESS, STOPPING, 9])
async def test_a_job_whose_status_changed_is_asked_for(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock, code: int
) -> None:
    """It is no longer in the list of those that run."""
    refs = running(simulator, 50)
    await explorer.fetch_jobs(refs)
    await clock.advance(10)
    simulator.change(refs[40].id, status=code, tasks=[])
    found, asked = await again(explorer, simulator, refs)
    job = found[refs[40]]
    assert isinstance(job, Job)
    assert refs[40].id in asked
    assert job == await explorer.fetch_job(refs[40])


async def test_a_job_that_is_gone_is_told_as_such(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """And the others are still seen."""
    refs = running(simulator, 50)
    await explorer.fetch_jobs(refs)
    await clock.advance(10)
    del simulator._jobs[int(refs[40].id)]
    found, _ = await again(explorer, simulator, refs)
    assert isinstance(found[refs[40]], JobNotFound)
    assert sum(isinstance(job, Job) for job in found.values()) == 49


async def test_each_status_has_a_list_of_its_own(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """Jobs that prepare, run and stop are all followed by lists."""
    refs = [
        ref
        for code in (PREPARING, RUNNING, STOPPING)
        for ref in running(simulator, 10, status=code)
    ]
    await explorer.fetch_jobs(refs)
    await clock.advance(10)
    _, asked = await again(explorer, simulator, refs)
    assert asked.count("jobs") == 3
    assert len(asked) == 3 + DETAILS


@pytest.mark.parametrize("largest", [1000, 40])
async def test_a_long_list_is_read_page_by_page(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock, largest: int
) -> None:
    """However many jobs Explorer gives in one."""
    simulator.largest_page = largest
    refs = running(simulator, 230)
    await explorer.fetch_jobs(refs)
    await clock.advance(10)
    _, asked = await again(explorer, simulator, refs)
    assert asked.count("jobs") == -(-230 // min(largest, 100))
    assert len(asked) == asked.count("jobs") + DETAILS


async def test_batches_at_the_same_time_share_one_list(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """Ten batches of a hundred do not read ten pages each."""
    refs = running(simulator, 1000)
    batches = [refs[n : n + 100] for n in range(0, 1000, 100)]
    await asyncio.gather(*map(explorer.fetch_jobs, batches))
    await clock.advance(10)
    before = len(simulator.calls)
    await asyncio.gather(*map(explorer.fetch_jobs, batches))
    asked = simulator.asked[before:]
    assert asked.count("jobs") == 10
    assert len(asked) == 10 + 10 * DETAILS


async def test_a_list_is_not_used_for_long(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """The next look reads it anew."""
    refs = running(simulator, 50)
    await explorer.fetch_jobs(refs)
    for seconds, lists in ((0, 1), (2, 0), (0.1, 1)):
        await clock.advance(seconds)
        assert (await again(explorer, simulator, refs))[1].count("jobs") == lists


async def test_a_few_jobs_need_no_list(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """Their tasks are always up to date."""
    refs = running(simulator, DETAILS)
    for _ in range(2):
        await clock.advance(10)
        _, asked = await again(explorer, simulator, refs)
    assert sorted(asked) == [ref.id for ref in refs]


async def test_what_goes_on_unchanged_is_told_as_it_was_seen(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """Whoever saw it: another process, or this one before it was started anew."""
    refs = running(simulator, 50)
    await explorer.fetch_jobs(refs, {})
    await clock.advance(10)
    seen = {
        ref: Job(ref=ref, name="as seen", status=Status.RUNNING, native_status="Running")
        for ref in refs
    }
    found, asked = await again(explorer, simulator, refs, known=seen)
    assert sum(job == seen[ref] for ref, job in found.items()) == 50 - DETAILS
    assert len(asked) == 1 + DETAILS
    _, asked = await again(explorer, simulator, refs, known={})
    assert len(asked) == 50


@pytest.mark.parametrize(
    "fault", [Fault(404, {"code": 40404000}), Fault(200, {"code": 0, "data": {}}), Fault(404, "")]
)
async def test_an_explorer_without_a_list_is_asked_one_by_one(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock, fault: Fault
) -> None:
    """What the list lacks must not end a thread."""
    refs = running(simulator, 50)
    first = await explorer.fetch_jobs(refs)
    await clock.advance(10)
    simulator.faults.plan(fault)
    second, asked = await again(explorer, simulator, refs)
    assert second == first
    assert len(asked) == 1 + 50


async def test_an_explorer_in_trouble_is_asked_once(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """Not once for each job, nor for each batch."""
    refs = running(simulator, 100)
    await explorer.fetch_jobs(refs)
    await clock.advance(10)
    before = len(simulator.calls)
    simulator.faults.plan(Fault(503), times=None)
    batches = (explorer.fetch_jobs(refs[n : n + 10]) for n in range(0, 100, 10))
    errors = await asyncio.gather(*batches, return_exceptions=True)
    assert {type(error) for error in errors} == {Unavailable}
    assert len(simulator.calls) == before + 1


async def test_a_refused_account_is_told_for_the_whole_batch(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """Without another knock for each job."""
    refs = running(simulator, 50)
    await explorer.fetch_jobs(refs)
    await clock.advance(10)
    simulator.refuse(40104000, times=None)
    with pytest.raises(CredentialsRefused):
        await explorer.fetch_jobs(refs)


async def test_a_list_that_does_not_heed_its_filter_is_not_read_to_its_end(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """It would hold every job that ever was."""
    simulator.filters = False
    refs = running(simulator, 50, createTime=1)
    for n in range(500):
        simulator.put(f"old {n}", status=SUCCESS, createTime=2)
    first = await explorer.fetch_jobs(refs)
    await clock.advance(10)
    second, asked = await again(explorer, simulator, refs)
    assert second == first
    assert asked.count("jobs") == 1
