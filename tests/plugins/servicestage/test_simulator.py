"""ServiceStage's simulator: jobs that advance with the clock."""

from typing import Any
from uuid import UUID

import pytest

from bot.sdk.errors import JobNotFound, Unavailable
from bot.sdk.models import Job, Status
from bot.sdk.testing import ManualClock
from plugins.servicestage import ServiceStage
from plugins.servicestage.samples import MISSING_JOB, SAMPLES
from plugins.servicestage.script import JobScript, JobStep
from plugins.servicestage.simulator import SIMULATOR, Simulator, simulation
from tests.plugins.fixtures import Fetch, Simulated, simulated_fixtures

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
THREE = (JobStep("A", 10), JobStep("B", 10), JobStep("C", 10))
SUCCEEDS, FAILS, ROLLS_BACK, LONG, ENDED = (sample.job for sample in SAMPLES)

simulated, simulator, _ = simulated_fixtures(ServiceStage, simulation, SIMULATOR)


def statuses(job: Job) -> list[str]:
    return [task.native_status for task in job.tasks]


async def test_sample_starts_at_its_first_request(fetch: Fetch, clock: ManualClock) -> None:
    """It advances however long the demo has been running."""
    await clock.advance(1000)
    assert (await fetch(SUCCEEDS.id)).native_status == "SUBMITTED"
    await clock.advance(5)
    assert (await fetch(SUCCEEDS.id)).native_status == "RUNNING"


async def test_first_sample_succeeds_in_about_45_seconds(fetch: Fetch, clock: ManualClock) -> None:
    """Its six tasks run in sequence."""
    await fetch(SUCCEEDS.id)
    await clock.advance(44)
    assert statuses(await fetch(SUCCEEDS.id)) == ["SUCCEEDED"] * 5 + ["RUNNING"]
    await clock.advance(1)
    job = await fetch(SUCCEEDS.id)
    assert (job.native_status, statuses(job)) == ("SUCCEEDED", ["SUCCEEDED"] * 6)


async def test_second_sample_fails_with_a_reason(fetch: Fetch, clock: ManualClock) -> None:
    """The health check's message is shown."""
    await fetch(FAILS.id)
    await clock.advance(60)
    job = await fetch(FAILS.id)
    assert job.status is Status.FAILED
    assert "health check" in job.message


async def test_third_sample_is_rolled_back(fetch: Fetch, clock: ManualClock) -> None:
    """Finished steps are undone in reverse; the job ends after the last."""
    await fetch(ROLLS_BACK.id)
    await clock.advance(22)
    job = await fetch(ROLLS_BACK.id)
    assert job.native_status == "ROLLBACKING"
    assert statuses(job)[:3] == ["SUCCEEDED", "ROLLBACKING", "FAILED"]
    await clock.advance(10)
    job = await fetch(ROLLS_BACK.id)
    assert job.native_status == "ROLLBACKED"
    assert statuses(job) == ["ROLLBACKED"] * 2 + ["FAILED"] + ["SKIPPED"] * 3


async def test_one_sample_has_forty_tasks(fetch: Fetch) -> None:
    """A card cannot list as many."""
    assert len((await fetch(LONG.id)).tasks) == 40


async def test_one_sample_has_already_ended(fetch: Fetch) -> None:
    """The first fetch shows its end."""
    assert (await fetch(ENDED.id)).status is Status.SUCCEEDED


async def test_one_sample_is_missing(fetch: Fetch) -> None:
    """It shows the "not found" reply."""
    with pytest.raises(JobNotFound):
        await fetch(MISSING_JOB.id)


def test_sample_ids_look_real_and_are_unique() -> None:
    """Each is JOB and a UUID of version 4."""
    ids = [sample.job.id for sample in SAMPLES] + [MISSING_JOB.id]
    assert len(set(ids)) == 6
    assert {UUID(id_.removeprefix("JOB")).version for id_ in ids} == {4}


async def test_can_finish_a_job(simulator: Simulator, fetch: Fetch) -> None:
    """`finish` sets any status at once, for open tasks too."""
    simulator.add(JobScript(ID, THREE))
    simulator.finish(ID, "CANCELLED")
    job = await fetch(ID)
    assert (job.native_status, statuses(job)) == ("CANCELLED", ["CANCELLED"] * 3)


async def test_finished_job_stays_finished(
    simulator: Simulator, fetch: Fetch, clock: ManualClock
) -> None:
    """Its script has no further effect."""
    simulator.add(JobScript(ID, THREE))
    simulator.finish(ID)
    await clock.advance(20)
    assert statuses(await fetch(ID)) == ["SUCCEEDED"] * 3


async def test_can_fail_a_job_at_a_step(
    simulator: Simulator, fetch: Fetch, clock: ManualClock
) -> None:
    """Earlier steps succeeded, later ones are skipped."""
    simulator.add(JobScript(ID, THREE))
    await fetch(ID)
    await clock.advance(5)
    simulator.fail(ID, 1, "No space left.")
    job = await fetch(ID)
    assert statuses(job) == ["SUCCEEDED", "FAILED", "SKIPPED"]
    assert (job.native_status, job.message) == ("FAILED", "No space left.")


async def test_task_times_show_its_duration(
    simulator: Simulator, fetch: Fetch, clock: ManualClock
) -> None:
    """A task is created when it starts, and updated when its status changes."""
    simulator.add(JobScript(ID, THREE))
    await fetch(ID)
    await clock.advance(100)
    tasks = (await fetch(ID)).tasks
    spans = [
        task.finished_at - task.started_at for task in tasks if task.finished_at and task.started_at
    ]
    assert [span.total_seconds() for span in spans] == [10, 10, 10]


async def test_can_make_calls_fail(simulator: Simulator, fetch: Fetch) -> None:
    """Only the given number of calls fails."""
    simulator.fail_calls(2, 500)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await fetch(SUCCEEDS.id)
    assert await fetch(SUCCEEDS.id)


async def test_every_call_is_recorded(simulator: Simulator, fetch: Fetch) -> None:
    """Each has its path and query."""
    await fetch(SUCCEEDS.id)
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
async def test_paging_follows_the_documentation(
    simulated: Simulated, query: dict[str, Any], first: str, count: int
) -> None:
    """`limit`, `offset` and `desc` apply to tasks; `task_count` is the total."""
    simulated.simulator.add(JobScript(ID, THREE))
    path = f"/v3/{simulated.provider.settings.project_id}/cas/jobs/{ID}"
    answer = (await simulated.provider.http.call("GET", path, params=query)).json()
    assert (answer["tasks"][0]["task_name"], len(answer["tasks"])) == (first, count)
    assert answer["task_count"] == 3
