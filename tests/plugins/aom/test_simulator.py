"""The simulated AOM: executions that move with the clock."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from bot.errors import JobNotFound
from bot.models import Job, JobRef, Status
from bot.testing import ManualClock, connected, serve
from plugins.aom import Aom
from plugins.aom.samples import NOT_AN_EXECUTION, SAMPLES
from plugins.aom.script import ExecutionScript, HostRun, NodeScript
from plugins.aom.simulator import SIMULATOR, Simulator, simulation

pytestmark = pytest.mark.anyio

SUCCEEDS, PARTIAL, FAILS, WAITS, PAUSED, ENDED = (sample.id for sample in SAMPLES)
ONE = ExecutionScript("w", "e", (NodeScript("a", (HostRun("h", 5), HostRun("i", 5))),))

Look = Callable[[str], Awaitable[Job]]


@pytest.fixture
async def world(clock: ManualClock) -> AsyncIterator[tuple[Simulator, Any]]:
    whole = simulation(clock)
    async with (
        serve(whole.app) as url,
        connected(Aom, whole.settings(url), clock) as provider,
    ):
        yield whole.app[SIMULATOR], provider


@pytest.fixture
def simulator(world: Any) -> Any:
    return world[0]


@pytest.fixture
def look(world: Any) -> Look:
    async def look(id_: str) -> Job:
        job: Job = await world[1].fetch_job(JobRef(connection="acme", id=id_))
        return job

    return look


async def test_a_sample_begins_when_it_is_first_asked_for(look: Look, clock: ManualClock) -> None:
    """People see it move, however long the demo has been open."""
    await clock.advance(1000)
    assert (await look(SUCCEEDS)).native_status == "waitExecute"
    await clock.advance(4)
    assert (await look(SUCCEEDS)).native_status == "executing"


async def test_the_first_sample_succeeds_in_about_35_seconds(
    look: Look, clock: ManualClock
) -> None:
    """Three nodes, one after the other."""
    await look(SUCCEEDS)
    await clock.advance(30)
    assert [task.finished_at is None for task in (await look(SUCCEEDS)).tasks] == [
        False,
        False,
        True,
    ]
    await clock.advance(5)
    assert (await look(SUCCEEDS)).status is Status.SUCCEEDED


async def test_the_second_sample_succeeds_in_part(look: Look, clock: ManualClock) -> None:
    """One of its three hosts is full; the node behind never begins."""
    await look(PARTIAL)
    await clock.advance(60)
    job = await look(PARTIAL)
    assert (job.status, len(job.tasks)) == (Status.PARTIAL, 2)
    assert "No space left on device" in job.message


async def test_the_third_sample_fails(look: Look, clock: ManualClock) -> None:
    """On its only host."""
    await look(FAILS)
    await clock.advance(60)
    assert (await look(FAILS)).status is Status.FAILED


async def test_the_fourth_sample_waits_and_then_goes_on(look: Look, clock: ManualClock) -> None:
    """One of the approvers acts after half a minute."""
    await look(WAITS)
    await clock.advance(20)
    assert (await look(WAITS)).native_status == "waitApproval"
    await clock.advance(60)
    assert (await look(WAITS)).status is Status.SUCCEEDED


async def test_the_fifth_sample_stays_paused(look: Look, clock: ManualClock) -> None:
    """Nobody goes on."""
    await look(PAUSED)
    await clock.advance(3600)
    job = await look(PAUSED)
    assert (job.native_status, job.tasks[-1].native_status) == ("pausing", "pausing")


async def test_the_sixth_sample_has_already_ended(look: Look) -> None:
    """It is asked for by its workflow's id."""
    assert (await look(ENDED)).status is Status.SUCCEEDED


async def test_a_sample_does_not_exist(look: Look) -> None:
    """To see what is said then."""
    with pytest.raises(JobNotFound):
        await look(NOT_AN_EXECUTION.id)


def test_the_ids_of_the_samples_fit_and_are_all_different() -> None:
    """So that people may type them."""
    ids = [sample.id for sample in SAMPLES] + [NOT_AN_EXECUTION.id]
    assert len(set(ids)) == 7
    assert all(Aom.id_pattern.fullmatch(id_) for id_ in ids)


async def test_hosts_of_a_node_begin_one_after_the_other(
    simulator: Simulator, look: Look, clock: ManualClock
) -> None:
    """So that people see hosts that run and hosts that wait."""
    simulator.add(ONE)
    await look("w/e")
    await clock.advance(3.5)
    (task,) = (await look("w/e")).tasks
    assert task.message == "Running on 1: h\nWaiting on 1: i"


async def test_a_test_can_finish_an_execution(simulator: Simulator, look: Look) -> None:
    """At once, with any word; its nodes take it over."""
    simulator.add(ONE)
    simulator.finish(ONE, "cancel")
    job = await look("w/e")
    assert (job.native_status, job.tasks[0].native_status) == ("cancel", "cancel")


async def test_to_be_listed_does_not_begin_an_execution(
    world: Any, look: Look, clock: ManualClock
) -> None:
    """Else the samples would be over before somebody asks for one."""
    await world[1].recent_jobs(10)
    await clock.advance(100)
    assert (await look(SUCCEEDS)).native_status == "waitExecute"
