"""ServiceStage's provider against its simulator."""

from pathlib import Path
from typing import Any

import pytest

from bot.sdk.errors import (
    BadReference,
    JobNotFound,
)
from bot.sdk.models import Job, Status
from bot.sdk.provider import Provider
from bot.sdk.testing import Fault, ManualClock, connected, serve
from plugins.servicestage import MISSING_ID, ServiceStage, register_providers
from plugins.servicestage.script import JobScript, JobStep
from plugins.servicestage.simulator import Simulator
from tests.plugins.fixtures import ref

pytestmark = pytest.mark.anyio

RECORDED = Path(__file__).parent / "data"
ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
PROJECT = "0123456789abcdef0123456789abcdef"
KEYS = {"project_id": PROJECT, "access_key": "AK", "secret_key": "made-up"}
REF = ref(ID)


def build_provider(**settings: str) -> ServiceStage:
    """Return a provider that is not connected."""
    fields = {"region": "cn-north-4", **KEYS, **settings}
    return ServiceStage("deploys", ServiceStage.Settings(**fields), ManualClock())  # type: ignore[arg-type]


@pytest.mark.parametrize("tasks", [0, 49, 50, 51, 100, 130])
async def test_all_tasks_are_fetched_page_by_page(
    servicestage: Provider[Any], simulator: Simulator, tasks: int
) -> None:
    """The API limits the tasks per page."""
    simulator.add(JobScript(ID, tuple(JobStep(f"STEP_{n}") for n in range(tasks))))
    job = await servicestage.fetch_job(REF)
    assert [task.name for task in job.tasks] == [f"STEP_{n}" for n in range(tasks)]
    assert len(simulator.calls) == max(1, -(-tasks // 50))


async def test_repeated_page_ends_paging(servicestage: Provider[Any], simulator: Simulator) -> None:
    """The server may ignore the offset."""
    page = [{"task_id": f"t{n}", "task_status": "RUNNING"} for n in range(50)]
    answer = {"job": {"execution_status": "RUNNING"}, "tasks": page, "task_count": 1000}
    simulator.faults.plan(Fault(200, answer), times=None)
    assert len((await servicestage.fetch_job(REF)).tasks) == 50
    assert len(simulator.calls) == 2


async def test_paging_without_a_count_ends_at_a_short_page(
    servicestage: Provider[Any], simulator: Simulator
) -> None:
    """`task_count` is optional."""
    page = [{"task_id": f"t{n}", "task_status": "RUNNING"} for n in range(70)]
    for part in (page[:50], page[50:]):
        body = {"job": {"execution_status": "RUNNING"}, "tasks": part}
        simulator.faults.plan(Fault(200, body))
    assert len((await servicestage.fetch_job(REF)).tasks) == 70


async def test_job_status_is_that_of_the_first_page(
    servicestage: Provider[Any], simulator: Simulator
) -> None:
    """A terminal job with running tasks would end the watch too early."""
    page = [{"task_id": f"t{n}", "task_status": "RUNNING"} for n in range(70)]
    for part, word in ((page[:50], "RUNNING"), (page[50:], "SUCCEEDED")):
        body = {"job": {"execution_status": word}, "tasks": part, "task_count": 70}
        simulator.faults.plan(Fault(200, body))
    assert (await servicestage.fetch_job(REF)).native_status == "RUNNING"


async def test_capital_keys_are_read_over_http(
    servicestage: Provider[Any], simulator: Simulator
) -> None:
    """The v2 API and the page's table use them."""
    simulator.upper_case = True
    simulator.add(JobScript(ID, (JobStep("STEP"),)))
    job = await servicestage.fetch_job(REF)
    assert (job.native_status, job.tasks[0].name) == ("SUBMITTED", "STEP")


async def test_not_found_with_401_does_not_stop_calls(
    servicestage: Provider[Any], simulator: Simulator
) -> None:
    """The credentials were accepted, so the next call is made."""
    simulator.not_found_status = 401
    with pytest.raises(JobNotFound):
        await servicestage.fetch_job(REF)
    simulator.add(JobScript(ID))
    assert await servicestage.fetch_job(REF)


async def test_iam_user_works_instead_of_an_access_key(
    simulator: Simulator, clock: ManualClock
) -> None:
    """One token serves all calls, even when a job is not found with 401."""
    simulator.not_found_status = 401
    simulator.add(JobScript(ID))
    async with serve(simulator.app) as url:
        settings = {"endpoint": url, **simulator.gateway.tenant.user_settings(url)}
        async with connected(ServiceStage, settings, clock) as provider:
            with pytest.raises(JobNotFound):
                await provider.fetch_job(ref(MISSING_ID))
            assert await provider.fetch_job(REF)
    assert simulator.gateway.tokens_issued == 1


@pytest.mark.parametrize("id_", ["JOB/1", "../jobs", "a b", "a\nb", "a\x85b", "..", ".", "a\\b"])
async def test_unsafe_id_is_rejected_without_a_call(
    servicestage: Provider[Any], simulator: Simulator, id_: str
) -> None:
    """It is the user's mistake."""
    with pytest.raises(BadReference):
        await servicestage.fetch_job(ref(id_))
    assert not simulator.calls


async def test_unusual_id_is_sent_unchanged(
    servicestage: Provider[Any], simulator: Simulator
) -> None:
    """It is encoded as it is signed."""
    simulator.add(JobScript("a,b?c#%2F漢"))
    assert await servicestage.fetch_job(ref("a,b?c#%2F漢"))
    assert "/jobs/a%2Cb%3Fc%23%252F%E6%BC%A2?" in simulator.calls[0].path


async def test_check_fetches_a_missing_job(
    servicestage: Provider[Any], simulator: Simulator
) -> None:
    """ "Not found" proves address and credentials right."""
    assert "accepts the credentials" in await servicestage.check()
    assert MISSING_ID in simulator.calls[0].path


def test_api_url_is_recognised_for_own_host_and_project() -> None:
    """Two connections must not claim the same job."""
    base = "https://servicestage.cn-north-4.myhuaweicloud.com"
    find_ids = build_provider().find_ids
    assert list(find_ids(f"see {base}/v3/{PROJECT}/cas/jobs/{ID}?limit=5.")) == [ID]
    assert list(find_ids(f"{base.upper()}/v3/{PROJECT}/cas/jobs/{ID}")) == [ID]
    assert not list(find_ids(f"{base}/v3/{'f' * 32}/cas/jobs/{ID}"))
    assert not list(find_ids(f"{base.replace('north', 'east')}/v3/{PROJECT}/cas/jobs/{ID}"))
    assert not list(find_ids(f"{base}/v3/{PROJECT}/cas/jobs/{ID}0"))


def test_console_url_is_recognised_by_its_template() -> None:
    """Users paste such URLs."""
    provider = build_provider(console_url="https://console.example.com/#/jobs/{id}/view?x=(1)")
    text = f"<https://console.example.com/#/jobs/{ID}/view?x=(1)|this one>"
    assert list(provider.find_ids(text)) == [ID]


def test_console_page_follows_the_template() -> None:
    """ServiceStage's own URL of a job is undocumented, so it can be set."""
    job = build_provider(console_url="https://console.example.com/jobs/{id}")
    assert job.console_url(_job()) == f"https://console.example.com/jobs/{ID}"


def test_console_page_defaults_to_the_service() -> None:
    """The job's own page is unknown."""
    page = "https://console.huaweicloud.com/servicestage/?region=cn-north-4"
    assert build_provider().console_url(_job()) == page


def test_unknown_region_has_no_console_page() -> None:
    """A wrong link is worse than none."""
    assert (
        build_provider(region="", endpoint="https://proxy.example.com").console_url(_job()) is None
    )


def test_plugin_registers_servicestage() -> None:
    """It uses the same hook as third-party plugins."""
    assert list(register_providers()) == [ServiceStage]


def _job() -> Job:
    return Job(ref=REF, name="x", status=Status.RUNNING)
