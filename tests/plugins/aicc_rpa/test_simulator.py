"""RPA's simulator: jobs that advance with the clock."""

from uuid import UUID

import pytest

from bot.sdk.errors import Ambiguous, JobNotFound
from bot.sdk.models import Job, JobRef, Status
from bot.sdk.testing import ManualClock
from plugins.aicc_rpa import AiccRpa
from plugins.aicc_rpa.samples import MISSING_JOB, SAMPLES
from plugins.aicc_rpa.script import RobotScript, Run, state_at
from plugins.aicc_rpa.simulator import LIST_KEYS, Simulator

pytestmark = pytest.mark.anyio

GETTOKEN = "/oifde/rest/api/gettoken"
SUCCEEDS, FAILS, QUEUE, REPEATS, SUSPENDED, ENDED, TWIN = (sample.job.uid for sample in SAMPLES)


async def fetch(rpa: AiccRpa, id_: str) -> Job:
    return await rpa.fetch_job(JobRef(connection="acme", id=id_))


async def test_sample_starts_at_its_first_request(rpa: AiccRpa, clock: ManualClock) -> None:
    """A request for another job, or for the list, does not start it."""
    await fetch(rpa, ENDED)
    await rpa.recent_jobs(5)
    await clock.advance(1000)
    assert (await fetch(rpa, SUCCEEDS)).native_status == "init"
    await clock.advance(5)
    assert (await fetch(rpa, SUCCEEDS)).native_status == "running"


async def test_first_sample_succeeds(rpa: AiccRpa, clock: ManualClock) -> None:
    """It waits four seconds and runs for twenty."""
    await fetch(rpa, SUCCEEDS)
    await clock.advance(23)
    assert (await fetch(rpa, SUCCEEDS)).status is Status.RUNNING
    await clock.advance(1)
    assert (await fetch(rpa, SUCCEEDS)).status is Status.SUCCEEDED


async def test_second_sample_fails_with_its_queues_reason(rpa: AiccRpa, clock: ManualClock) -> None:
    """The task of the run shows it."""
    await fetch(rpa, FAILS)
    await clock.advance(30)
    job = await fetch(rpa, FAILS)
    assert job.status is Status.FAILED
    assert "Order 4711" in job.tasks[0].message


async def test_third_sample_fails_every_third_run(rpa: AiccRpa, clock: ManualClock) -> None:
    """It continues afterwards."""
    await fetch(rpa, QUEUE)
    seen = []
    for _ in range(6):
        await clock.advance(18)
        job = await fetch(rpa, QUEUE)
        seen.append(job.tasks[0].status)
        assert not job.status.terminal
    assert seen.count(Status.FAILED) == 2
    assert len(set(seen)) > 1


async def test_each_run_has_its_own_time(rpa: AiccRpa, clock: ManualClock) -> None:
    """It identifies the run."""
    await fetch(rpa, REPEATS)
    await clock.advance(30)
    first = await fetch(rpa, REPEATS)
    await clock.advance(30)
    second = await fetch(rpa, REPEATS)
    assert first.tasks[0].id != second.tasks[0].id
    assert first.created_at == second.created_at


async def test_one_sample_waits_for_a_person(rpa: AiccRpa) -> None:
    """It is suspended."""
    assert (await fetch(rpa, SUSPENDED)).status is Status.WAITING


async def test_one_sample_has_already_ended(rpa: AiccRpa) -> None:
    """The first fetch shows its end."""
    assert (await fetch(rpa, ENDED)).status is Status.SUCCEEDED


async def test_two_samples_have_the_same_name(rpa: AiccRpa) -> None:
    """They show the choice between jobs."""
    with pytest.raises(Ambiguous) as caught:
        await fetch(rpa, "Payroll")
    assert {each.id for each, _ in caught.value.choices} == {ENDED, TWIN}


async def test_one_sample_is_missing(rpa: AiccRpa) -> None:
    """It shows the "not found" reply."""
    with pytest.raises(JobNotFound):
        await fetch(rpa, MISSING_JOB.id)


def test_sample_uids_are_unique() -> None:
    """Each has 32 hexadecimal characters."""
    uids = [sample.job.uid for sample in SAMPLES] + [MISSING_JOB.id]
    assert len({UUID(uid) for uid in uids}) == len(uids) == 8


async def test_list_omits_the_status_of_runs(rpa: AiccRpa, simulator: Simulator) -> None:
    """The list's page documents its fields."""
    uid = simulator.put(recentTaskStatus="failed", mode="repeat", createTime="2027")
    job = next(job for job in await rpa.recent_jobs(9) if job.ref.id == uid)
    assert job.tasks == ()
    assert "recentTaskStatus" not in LIST_KEYS


async def test_five_wrong_passwords_lock_the_account(simulator: Simulator, rpa: AiccRpa) -> None:
    """The lock lasts half an hour, also for the right password."""
    good = {"appKey": rpa.settings.tenant_id, "appSecret": "made-up-password"}
    bodies = [good | {"appSecret": "wrong"}] * 5 + [good]
    answers = [await rpa.http.call("POST", GETTOKEN, json=body) for body in bodies]
    codes = [answer.json()["errorCode"] for answer in answers]
    assert codes == [200800002] * 5 + [200800003]
    assert simulator.tokens_issued == 0


@pytest.mark.parametrize(
    ("at", "begun", "over"),
    [(0, 0, False), (4, 1, False), (14, 1, True), (18, 2, False), (23, 2, True), (27, 3, False)],
)
def test_script_computes_its_runs(at: float, begun: int, *, over: bool) -> None:
    """Rounds follow each other without a pause."""
    script = RobotScript("u", "n", (Run(10), Run(5, "failed")), mode="repeat")
    seen = state_at(script, at)
    assert (seen.runs_started, seen.ended) == (begun, over)
