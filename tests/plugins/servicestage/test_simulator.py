"""The simulated ServiceStage: jobs that move with the clock."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from bot.errors import JobNotFound, Unavailable
from bot.models import Job, JobRef, Status
from bot.testing import ManualClock, connected, serve
from plugins.servicestage import ServiceStage
from plugins.servicestage.samples import NOT_A_JOB, SAMPLES
from plugins.servicestage.script import JobScript, JobStep
from plugins.servicestage.simulator import SIMULATOR, Simulator, simulation

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
THREE = (JobStep("A", 10), JobStep("B", 10), JobStep("C", 10))
SUCCEEDS, FAILS, ROLLS_BACK, LONG, ENDED = (sample.job for sample in SAMPLES)

Look = Callable[[str], Awaitable[Job]]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def world(clock: ManualClock) -> AsyncIterator[tuple[Simulator, Look]]:
    whole = simulation(clock)
    async with (
        serve(whole.app) as url,
        connected(ServiceStage, whole.settings(url), clock) as provider,
    ):

        async def look(id_: str) -> Job:
            return await provider.fetch_job(JobRef(connection="acme", id=id_))

        yield whole.app[SIMULATOR], look


@pytest.fixture
def simulator(world: Any) -> Any:
    return world[0]


@pytest.fixture
def look(world: Any) -> Any:
    return world[1]


def words(job: Job) -> list[str]:
    return [task.native_status for task in job.tasks]


async def test_a_sample_begins_when_it_is_first_asked_for(look: Look, clock: ManualClock) -> None:
    """People see it move, however long the demo has been open."""
    await clock.advance(1000)
    assert (await look(SUCCEEDS.id)).native_status == "SUBMITTED"
    await clock.advance(5)
    assert (await look(SUCCEEDS.id)).native_status == "RUNNING"


async def test_the_first_sample_succeeds_in_about_45_seconds(
    look: Look, clock: ManualClock
) -> None:
    """With six tasks, one after the other."""
    await look(SUCCEEDS.id)
    await clock.advance(44)
    assert words(await look(SUCCEEDS.id)) == ["SUCCEEDED"] * 5 + ["RUNNING"]
    await clock.advance(1)
    job = await look(SUCCEEDS.id)
    assert (job.native_status, words(job)) == ("SUCCEEDED", ["SUCCEEDED"] * 6)


async def test_the_second_sample_fails_with_a_reason(look: Look, clock: ManualClock) -> None:
    """The health check says why."""
    await look(FAILS.id)
    await clock.advance(60)
    job = await look(FAILS.id)
    assert job.status is Status.FAILED
    assert "health check" in job.message


async def test_the_third_sample_is_rolled_back(look: Look, clock: ManualClock) -> None:
    """What was done is undone in reverse, and the job ends when all is."""
    await look(ROLLS_BACK.id)
    await clock.advance(22)
    job = await look(ROLLS_BACK.id)
    assert job.native_status == "ROLLBACKING"
    assert words(job)[:3] == ["SUCCEEDED", "ROLLBACKING", "FAILED"]
    await clock.advance(10)
    job = await look(ROLLS_BACK.id)
    assert job.native_status == "ROLLBACKED"
    assert words(job) == ["ROLLBACKED"] * 2 + ["FAILED"] + ["SKIPPED"] * 3


async def test_a_sample_has_forty_tasks(look: Look) -> None:
    """More than a card can list."""
    assert len((await look(LONG.id)).tasks) == 40


async def test_a_sample_has_already_ended(look: Look) -> None:
    """At the first look."""
    assert (await look(ENDED.id)).status is Status.SUCCEEDED


async def test_a_sample_does_not_exist(look: Look) -> None:
    """To see what is said then."""
    with pytest.raises(JobNotFound):
        await look(NOT_A_JOB.id)


def test_the_ids_of_the_samples_look_real_and_are_all_different() -> None:
    """JOB and a UUID of version 4."""
    ids = [sample.job.id for sample in SAMPLES] + [NOT_A_JOB.id]
    assert len(set(ids)) == 6
    assert {UUID(id_.removeprefix("JOB")).version for id_ in ids} == {4}


async def test_a_test_can_finish_a_job(simulator: Simulator, look: Look) -> None:
    """At once, with any word; open tasks take it over."""
    simulator.add(JobScript(ID, THREE))
    simulator.finish(ID, "CANCELLED")
    job = await look(ID)
    assert (job.native_status, words(job)) == ("CANCELLED", ["CANCELLED"] * 3)


async def test_a_finished_job_stays_finished(
    simulator: Simulator, look: Look, clock: ManualClock
) -> None:
    """What its script had planned for later does not happen."""
    simulator.add(JobScript(ID, THREE))
    simulator.finish(ID)
    await clock.advance(20)
    assert words(await look(ID)) == ["SUCCEEDED"] * 3


async def test_a_test_can_fail_a_job_at_a_step(
    simulator: Simulator, look: Look, clock: ManualClock
) -> None:
    """Steps before it went well, steps behind it are skipped."""
    simulator.add(JobScript(ID, THREE))
    await look(ID)
    await clock.advance(5)
    simulator.fail(ID, 1, "No space left.")
    job = await look(ID)
    assert words(job) == ["SUCCEEDED", "FAILED", "SKIPPED"]
    assert (job.native_status, job.message) == ("FAILED", "No space left.")


async def test_times_tell_how_long_a_task_took(
    simulator: Simulator, look: Look, clock: ManualClock
) -> None:
    """A task is created when it begins, and updated when its word changes."""
    simulator.add(JobScript(ID, THREE))
    await look(ID)
    await clock.advance(100)
    tasks = (await look(ID)).tasks
    spans = [
        task.finished_at - task.started_at for task in tasks if task.finished_at and task.started_at
    ]
    assert [span.total_seconds() for span in spans] == [10, 10, 10]


async def test_a_test_can_have_calls_refused(simulator: Simulator, look: Look) -> None:
    """As many as it says; then all is well."""
    simulator.refuse(2, 500)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await look(SUCCEEDS.id)
    assert await look(SUCCEEDS.id)


async def test_every_call_is_in_the_journal(simulator: Simulator, look: Look) -> None:
    """With what was asked."""
    await look(SUCCEEDS.id)
    (call,) = simulator.calls
    assert call.path.endswith(f"/cas/jobs/{SUCCEEDS.id}?desc=false&limit=50&offset=0")


@pytest.mark.parametrize(
    ("query", "first", "count"),
    [
        ({}, "A", 3),
        ({"limit": 2}, "A", 2),
        ({"limit": 2, "offset": 2}, "C", 1),
        ({"desc": "true"}, "C", 3),
    ],
)
async def test_tasks_are_paged_as_the_page_says(
    clock: ManualClock, query: dict[str, Any], first: str, count: int
) -> None:
    """limit, offset and desc count tasks; task_count is that of all."""
    whole = simulation(clock)
    whole.app[SIMULATOR].add(JobScript(ID, THREE))
    async with (
        serve(whole.app) as url,
        connected(ServiceStage, whole.settings(url), clock) as provider,
    ):
        path = f"/v3/{provider.settings.project_id}/cas/jobs/{ID}"
        answer = (await provider.http.call("GET", path, params=query)).json()
    assert (answer["tasks"][0]["task_name"], len(answer["tasks"])) == (first, count)
    assert answer["task_count"] == 3
