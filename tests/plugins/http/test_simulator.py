"""The simulator of builds, for trying the declarative provider."""

import pytest

from bot.sdk.errors import CredentialsRefused
from bot.sdk.models import Job, JobRef, Status
from bot.sdk.testing import ManualClock, connected, serve
from plugins.http import HttpJobs
from plugins.http.samples import SAMPLES
from plugins.http.simulator import SIMULATOR, simulation

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def ref(id_: str) -> JobRef:
    return JobRef(connection="acme", id=id_)


async def test_builds_advance_with_the_clock(clock: ManualClock) -> None:
    """One succeeds, one fails with a reason, one waits for a person, and one has ended."""
    whole = simulation(clock)
    async with (
        serve(whole.app) as url,
        connected(HttpJobs, whole.settings(url), clock) as provider,
    ):

        async def fetch_all() -> dict[str, Job]:
            jobs = [await provider.fetch_job(ref(sample.build.id)) for sample in SAMPLES]
            return {job.ref.id: job for job in jobs}

        assert [str(job.status) for job in (await fetch_all()).values()] == [
            *("queued", "queued", "queued", "succeeded")
        ]
        assert (await fetch_all())["build-1043"].finished_tasks == 0
        await clock.advance(20)
        assert {job.status for job in list((await fetch_all()).values())[:3]} == {Status.RUNNING}
        await clock.advance(20)
        then = await fetch_all()
        assert [str(job.status) for job in then.values()] == [
            *("succeeded", "failed", "waiting", "succeeded")
        ]
        assert "a_voucher_is_used_once" in then["build-1043"].message
        assert [str(task.status) for task in then["build-1043"].tasks] == [
            *("succeeded", "succeeded", "failed", "skipped")
        ]


async def test_wrong_token_is_rejected(clock: ManualClock) -> None:
    """The error names the credentials."""
    whole = simulation(clock)
    async with (
        serve(whole.app) as url,
        connected(HttpJobs, whole.settings(url) | {"token": "wrong"}, clock) as provider,
    ):
        with pytest.raises(CredentialsRefused):
            await provider.fetch_job(ref("build-1041"))
    assert len(whole.app[SIMULATOR].faults.calls) == 1
