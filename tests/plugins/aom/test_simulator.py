"""AOM's simulator: executions that advance with the clock."""

import pytest

from bot.sdk.errors import JobNotFound
from bot.sdk.models import Status
from bot.sdk.testing import ManualClock
from plugins.aom import Aom
from plugins.aom.samples import MISSING_EXECUTION, SAMPLES
from plugins.aom.script import ExecutionScript, HostRun, NodeScript
from plugins.aom.simulator import SIMULATOR, Simulator, simulation
from tests.plugins.fixtures import Fetch, Simulated, simulated_fixtures

pytestmark = pytest.mark.anyio

SUCCEEDS, PARTIAL, FAILS, WAITS, PAUSED, ENDED = (sample.id for sample in SAMPLES)
ONE = ExecutionScript("w", "e", (NodeScript("a", (HostRun("h", 5), HostRun("i", 5))),))

simulated, simulator, _ = simulated_fixtures(Aom, simulation, SIMULATOR)


async def test_sample_starts_at_its_first_request(fetch: Fetch, clock: ManualClock) -> None:
    """It advances however long the demo has been running."""
    await clock.advance(1000)
    assert (await fetch(SUCCEEDS)).native_status == "waitExecute"
    await clock.advance(4)
    assert (await fetch(SUCCEEDS)).native_status == "executing"


async def test_first_sample_succeeds_in_about_35_seconds(fetch: Fetch, clock: ManualClock) -> None:
    """Its three nodes run in sequence."""
    await fetch(SUCCEEDS)
    await clock.advance(30)
    assert [task.finished_at is None for task in (await fetch(SUCCEEDS)).tasks] == [
        False,
        False,
        True,
    ]
    await clock.advance(5)
    assert (await fetch(SUCCEEDS)).status is Status.SUCCEEDED


async def test_second_sample_partly_succeeds(fetch: Fetch, clock: ManualClock) -> None:
    """One of its three hosts fails; the next node never starts."""
    await fetch(PARTIAL)
    await clock.advance(60)
    job = await fetch(PARTIAL)
    assert (job.status, len(job.tasks)) == (Status.PARTIAL, 2)
    assert "No space left on device" in job.message


async def test_third_sample_fails(fetch: Fetch, clock: ManualClock) -> None:
    """Its only host fails."""
    await fetch(FAILS)
    await clock.advance(60)
    assert (await fetch(FAILS)).status is Status.FAILED


async def test_fourth_sample_waits_and_then_continues(fetch: Fetch, clock: ManualClock) -> None:
    """An approver acts after half a minute."""
    await fetch(WAITS)
    await clock.advance(20)
    assert (await fetch(WAITS)).native_status == "waitApproval"
    await clock.advance(60)
    assert (await fetch(WAITS)).status is Status.SUCCEEDED


async def test_fifth_sample_stays_paused(fetch: Fetch, clock: ManualClock) -> None:
    """It is never resumed."""
    await fetch(PAUSED)
    await clock.advance(3600)
    job = await fetch(PAUSED)
    assert (job.native_status, job.tasks[-1].native_status) == ("pausing", "pausing")


async def test_sixth_sample_has_already_ended(fetch: Fetch) -> None:
    """Its reference is the workflow's id."""
    assert (await fetch(ENDED)).status is Status.SUCCEEDED


async def test_one_sample_is_missing(fetch: Fetch) -> None:
    """It shows the "not found" reply."""
    with pytest.raises(JobNotFound):
        await fetch(MISSING_EXECUTION.id)


def test_sample_ids_are_valid_and_unique() -> None:
    """Each can be typed as a reference."""
    ids = [sample.id for sample in SAMPLES] + [MISSING_EXECUTION.id]
    assert len(set(ids)) == 7
    assert all(Aom.id_format.pattern.fullmatch(id_) for id_ in ids)


async def test_hosts_of_a_node_start_in_sequence(
    simulator: Simulator, fetch: Fetch, clock: ManualClock
) -> None:
    """The card shows running and waiting hosts."""
    simulator.add(ONE)
    await fetch("w/e")
    await clock.advance(3.5)
    (task,) = (await fetch("w/e")).tasks
    assert task.message == "Running on 1: h\nWaiting on 1: i"


async def test_can_finish_an_execution(simulator: Simulator, fetch: Fetch) -> None:
    """`finish` sets any status at once, for the nodes too."""
    simulator.add(ONE)
    simulator.finish(ONE, "cancel")
    job = await fetch("w/e")
    assert (job.native_status, job.tasks[0].native_status) == ("cancel", "cancel")


async def test_listing_does_not_start_an_execution(
    simulated: Simulated, fetch: Fetch, clock: ManualClock
) -> None:
    """Otherwise the samples would end before the first request."""
    await simulated.provider.recent_jobs(10)
    await clock.advance(100)
    assert (await fetch(SUCCEEDS)).native_status == "waitExecute"
