"""The simulated Explorer: jobs that move with the clock."""

import pytest

from bot.errors import JobNotFound
from bot.models import Job, JobRef, Status
from bot.testing import ManualClock
from plugins.nebula_explorer import NebulaExplorer
from plugins.nebula_explorer.samples import NOT_A_JOB, SAMPLES

pytestmark = pytest.mark.anyio

SUCCEEDS, FAILS, STOPS, LONG, ENDED = (str(sample.job.id) for sample in SAMPLES)


async def look(explorer: NebulaExplorer, id_: str) -> Job:
    return await explorer.fetch_job(JobRef(connection="acme", id=id_))


def words(job: Job) -> list[str]:
    return [task.native_status for task in job.tasks]


async def test_a_sample_begins_when_it_is_first_asked_for(
    explorer: NebulaExplorer, clock: ManualClock
) -> None:
    """Listing it does not begin it."""
    await explorer.recent_jobs(5)
    await clock.advance(1000)
    assert (await look(explorer, SUCCEEDS)).native_status == "Preparing"
    await clock.advance(5)
    assert (await look(explorer, SUCCEEDS)).native_status == "Running"


async def test_the_first_sample_succeeds_in_about_40_seconds(
    explorer: NebulaExplorer, clock: ManualClock
) -> None:
    """With four tasks, one after the other."""
    await look(explorer, SUCCEEDS)
    await clock.advance(41)
    assert words(await look(explorer, SUCCEEDS)) == ["Success"] * 3 + ["Running"]
    await clock.advance(1)
    job = await look(explorer, SUCCEEDS)
    assert (job.native_status, words(job)) == ("Success", ["Success"] * 4)


async def test_the_second_sample_fails_at_a_task(
    explorer: NebulaExplorer, clock: ManualClock
) -> None:
    """Those behind it never begin."""
    await look(explorer, FAILS)
    await clock.advance(60)
    job = await look(explorer, FAILS)
    assert job.status is Status.FAILED
    assert words(job) == ["Success", "Success", "Failed", "Preparing"]


async def test_the_third_sample_is_stopped(explorer: NebulaExplorer, clock: ManualClock) -> None:
    """It stops for a while, and is then interrupted."""
    await look(explorer, STOPS)
    await clock.advance(21)
    job = await look(explorer, STOPS)
    assert (job.native_status, words(job)[2]) == ("Stopping", "Stopping")
    await clock.advance(4)
    job = await look(explorer, STOPS)
    assert (job.native_status, words(job)[2]) == ("Interrupted", "Interrupted")


async def test_a_sample_has_thirty_tasks(explorer: NebulaExplorer) -> None:
    """More than a card can list."""
    assert len((await look(explorer, LONG)).tasks) == 30


async def test_a_sample_has_already_ended(explorer: NebulaExplorer) -> None:
    """At the first look, with its times."""
    job = await look(explorer, ENDED)
    assert job.status is Status.SUCCEEDED
    assert job.started_at is not None
    assert job.finished_at is not None
    assert (job.finished_at - job.started_at).total_seconds() == 39


async def test_a_sample_does_not_exist(explorer: NebulaExplorer) -> None:
    """To see what is said then."""
    with pytest.raises(JobNotFound):
        await look(explorer, NOT_A_JOB.id)


async def test_a_tasks_times_are_those_of_the_job(
    explorer: NebulaExplorer, clock: ManualClock
) -> None:
    """A task that has not begun has none."""
    await look(explorer, SUCCEEDS)
    await clock.advance(10)
    job = await look(explorer, SUCCEEDS)
    assert job.tasks[0].started_at == job.started_at
    assert [bool(task.finished_at) for task in job.tasks] == [True, False, False, False]
    assert job.tasks[3].started_at is None
