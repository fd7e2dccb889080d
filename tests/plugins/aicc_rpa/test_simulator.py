"""The simulated RPA: jobs that move with the clock."""

from uuid import UUID

import pytest

from bot.errors import Ambiguous, JobNotFound
from bot.models import Job, JobRef, Status
from bot.testing import ManualClock
from plugins.aicc_rpa import AiccRpa
from plugins.aicc_rpa.samples import NOT_A_JOB, SAMPLES
from plugins.aicc_rpa.script import RobotScript, Run, standing
from plugins.aicc_rpa.simulator import LISTED, Simulator

pytestmark = pytest.mark.anyio

GETTOKEN = "/oifde/rest/api/gettoken"
SUCCEEDS, FAILS, QUEUE, REPEATS, SUSPENDED, ENDED, TWIN = (sample.job.uid for sample in SAMPLES)


async def look(rpa: AiccRpa, id_: str) -> Job:
    return await rpa.fetch_job(JobRef(connection="acme", id=id_))


async def test_a_sample_begins_when_it_is_first_asked_for(rpa: AiccRpa, clock: ManualClock) -> None:
    """Asking for another job, or for the list, does not begin it."""
    await look(rpa, ENDED)
    await rpa.recent_jobs(5)
    await clock.advance(1000)
    assert (await look(rpa, SUCCEEDS)).native_status == "init"
    await clock.advance(5)
    assert (await look(rpa, SUCCEEDS)).native_status == "running"


async def test_the_first_sample_succeeds(rpa: AiccRpa, clock: ManualClock) -> None:
    """After a rest of four seconds and a run of twenty."""
    await look(rpa, SUCCEEDS)
    await clock.advance(23)
    assert (await look(rpa, SUCCEEDS)).status is Status.RUNNING
    await clock.advance(1)
    assert (await look(rpa, SUCCEEDS)).status is Status.SUCCEEDED


async def test_the_second_sample_fails_and_its_queue_says_why(
    rpa: AiccRpa, clock: ManualClock
) -> None:
    """The reason is at its run."""
    await look(rpa, FAILS)
    await clock.advance(30)
    job = await look(rpa, FAILS)
    assert job.status is Status.FAILED
    assert "Order 4711" in job.tasks[0].message


async def test_the_third_sample_fails_every_third_time(rpa: AiccRpa, clock: ManualClock) -> None:
    """And goes on."""
    await look(rpa, QUEUE)
    seen = []
    for _ in range(6):
        await clock.advance(18)
        job = await look(rpa, QUEUE)
        seen.append(job.tasks[0].status)
        assert not job.status.terminal
    assert seen.count(Status.FAILED) == 2
    assert len(set(seen)) > 1


async def test_a_run_has_a_time_of_its_own(rpa: AiccRpa, clock: ManualClock) -> None:
    """By which it is told from the one before."""
    await look(rpa, REPEATS)
    await clock.advance(30)
    first = await look(rpa, REPEATS)
    await clock.advance(30)
    second = await look(rpa, REPEATS)
    assert first.tasks[0].id != second.tasks[0].id
    assert first.created_at == second.created_at


async def test_a_sample_waits_for_a_person(rpa: AiccRpa) -> None:
    """It is suspended."""
    assert (await look(rpa, SUSPENDED)).status is Status.WAITING


async def test_a_sample_has_already_ended(rpa: AiccRpa) -> None:
    """At the first look."""
    assert (await look(rpa, ENDED)).status is Status.SUCCEEDED


async def test_two_samples_have_the_same_name(rpa: AiccRpa) -> None:
    """To see how one is chosen."""
    with pytest.raises(Ambiguous) as caught:
        await look(rpa, "Payroll")
    assert {each.id for each, _ in caught.value.choices} == {ENDED, TWIN}


async def test_a_sample_does_not_exist(rpa: AiccRpa) -> None:
    """To see what is said then."""
    with pytest.raises(JobNotFound):
        await look(rpa, NOT_A_JOB.id)


def test_the_uids_of_the_samples_are_all_different() -> None:
    """32 hexadecimal characters each."""
    uids = [sample.job.uid for sample in SAMPLES] + [NOT_A_JOB.id]
    assert len({UUID(uid) for uid in uids}) == len(uids) == 8


async def test_the_list_does_not_tell_how_runs_went(rpa: AiccRpa, simulator: Simulator) -> None:
    """As the page of the list has it."""
    uid = simulator.put(recentTaskStatus="failed", mode="repeat", createTime="2027")
    job = next(job for job in await rpa.recent_jobs(9) if job.ref.id == uid)
    assert job.tasks == ()
    assert "recentTaskStatus" not in LISTED


async def test_five_wrong_passwords_lock_the_account(simulator: Simulator, rpa: AiccRpa) -> None:
    """For half an hour, also for the right one."""
    good = {"appKey": rpa.settings.tenant_id, "appSecret": "made-up-password"}
    bodies = [good | {"appSecret": "wrong"}] * 5 + [good]
    answers = [await rpa.http.call("POST", GETTOKEN, json=body) for body in bodies]
    codes = [answer.json()["errorCode"] for answer in answers]
    assert codes == [200800002] * 5 + [200800003]
    assert simulator.tokens_given == 0


@pytest.mark.parametrize(
    ("at", "begun", "over"),
    [(0, 0, False), (4, 1, False), (14, 1, True), (18, 2, False), (23, 2, True), (27, 3, False)],
)
def test_a_script_knows_its_runs(at: float, begun: int, *, over: bool) -> None:
    """Rounds follow each other without a gap."""
    script = RobotScript("u", "n", (Run(10), Run(5, "failed")), mode="repeat")
    seen = standing(script, at)
    assert (seen.begun, seen.over) == (begun, over)
