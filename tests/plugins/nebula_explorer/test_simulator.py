"""Explorer's simulator: jobs that advance with the clock."""

import pytest

from bot.sdk.errors import JobNotFound
from bot.sdk.models import Job, JobRef, Status
from bot.sdk.testing import ManualClock
from plugins.nebula_explorer import NebulaExplorer
from plugins.nebula_explorer.samples import MISSING_JOB, SAMPLES

pytestmark = pytest.mark.anyio

SUCCEEDS, FAILS, STOPS, LONG, ENDED = (str(sample.job.id) for sample in SAMPLES)


async def fetch(explorer: NebulaExplorer, id_: str) -> Job:
    return await explorer.fetch_job(JobRef(connection="acme", id=id_))


def statuses(job: Job) -> list[str]:
    return [task.native_status for task in job.tasks]


async def test_sample_starts_at_its_first_request(
    explorer: NebulaExplorer, clock: ManualClock
) -> None:
    """Listing it does not start it."""
    await explorer.recent_jobs(5)
    await clock.advance(1000)
    assert (await fetch(explorer, SUCCEEDS)).native_status == "Preparing"
    await clock.advance(5)
    assert (await fetch(explorer, SUCCEEDS)).native_status == "Running"


async def test_first_sample_succeeds_in_about_40_seconds(
    explorer: NebulaExplorer, clock: ManualClock
) -> None:
    """Its four tasks run in sequence."""
    await fetch(explorer, SUCCEEDS)
    await clock.advance(41)
    assert statuses(await fetch(explorer, SUCCEEDS)) == ["Success"] * 3 + ["Running"]
    await clock.advance(1)
    job = await fetch(explorer, SUCCEEDS)
    assert (job.native_status, statuses(job)) == ("Success", ["Success"] * 4)


async def test_second_sample_fails_at_a_task(explorer: NebulaExplorer, clock: ManualClock) -> None:
    """Later tasks never start."""
    await fetch(explorer, FAILS)
    await clock.advance(60)
    job = await fetch(explorer, FAILS)
    assert job.status is Status.FAILED
    assert statuses(job) == ["Success", "Success", "Failed", "Preparing"]


async def test_third_sample_is_stopped(explorer: NebulaExplorer, clock: ManualClock) -> None:
    """It is stopping for a while, and then interrupted."""
    await fetch(explorer, STOPS)
    await clock.advance(21)
    job = await fetch(explorer, STOPS)
    assert (job.native_status, statuses(job)[2]) == ("Stopping", "Stopping")
    await clock.advance(4)
    job = await fetch(explorer, STOPS)
    assert (job.native_status, statuses(job)[2]) == ("Interrupted", "Interrupted")


async def test_one_sample_has_thirty_tasks(explorer: NebulaExplorer) -> None:
    """A card cannot list as many."""
    assert len((await fetch(explorer, LONG)).tasks) == 30


async def test_one_sample_has_already_ended(explorer: NebulaExplorer) -> None:
    """The first fetch shows its times."""
    job = await fetch(explorer, ENDED)
    assert job.status is Status.SUCCEEDED
    assert job.started_at is not None
    assert job.finished_at is not None
    assert (job.finished_at - job.started_at).total_seconds() == 39


async def test_one_sample_is_missing(explorer: NebulaExplorer) -> None:
    """It shows the "not found" reply."""
    with pytest.raises(JobNotFound):
        await fetch(explorer, MISSING_JOB.id)


async def test_task_times_agree_with_the_jobs(explorer: NebulaExplorer, clock: ManualClock) -> None:
    """A task that has not started has none."""
    await fetch(explorer, SUCCEEDS)
    await clock.advance(10)
    job = await fetch(explorer, SUCCEEDS)
    assert job.tasks[0].started_at == job.started_at
    assert [bool(task.finished_at) for task in job.tasks] == [True, False, False, False]
    assert job.tasks[3].started_at is None
