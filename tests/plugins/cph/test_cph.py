"""Cloud Phone Host's provider against its simulator."""

from pathlib import Path
from typing import Any

import pytest

from bot.sdk.errors import (
    AnswerNotUnderstood,
    BadReference,
    JobNotFound,
)
from bot.sdk.models import Job, Status
from bot.sdk.provider import Provider
from bot.sdk.testing import Fault, ManualClock
from plugins.cph import MAX_PAGES, MISSING_ID, Cph, register_providers
from plugins.cph.script import PhoneJob, RequestScript, job_id
from plugins.cph.simulator import Simulator
from tests.plugins.cph.requests import add_requests, sent_values
from tests.plugins.fixtures import ref

pytestmark = pytest.mark.anyio

RECORDED = Path(__file__).parent / "data"
ID = "6837531fd3f54550927b930180a706bf"
PROJECT = "0123456789abcdef0123456789abcdef"
KEYS = {"project_id": PROJECT, "access_key": "AK", "secret_key": "made-up"}
REF = ref(ID)


def build_provider(**settings: str) -> Cph:
    """Return a provider that is not connected."""
    fields = {"region": "cn-north-4", **KEYS, **settings}
    return Cph("phones", Cph.Settings(**fields), ManualClock())  # type: ignore[arg-type]


# One request


@pytest.mark.parametrize(
    ("phones", "calls"), [(1, 1), (99, 1), (100, 2), (101, 2), (200, 3), (250, 3)]
)
async def test_pages_are_fetched_until_one_is_short(
    cph: Provider[Any], simulator: Simulator, phones: int, calls: int
) -> None:
    """The API returns no total, and at most a hundred jobs per page."""
    add_requests(simulator, 1, phones)
    job = await cph.fetch_job(ref(f"{1:032x}"))
    assert {task.name for task in job.tasks} == {f"phone-{n}" for n in range(phones)}
    assert len(simulator.calls) == calls


async def test_repeated_page_ends_paging(cph: Provider[Any], simulator: Simulator) -> None:
    """The server may ignore the offset."""
    page = [{"job_id": f"j{n}", "status": 1} for n in range(100)]
    simulator.faults.plan(Fault(200, {"jobs": page}), times=None)
    assert len((await cph.fetch_job(REF)).tasks) == 100
    assert len(simulator.calls) == 2


async def test_endless_paging_is_given_up(cph: Provider[Any], simulator: Simulator) -> None:
    """An incomplete request must not be shown as complete."""
    simulator.faults.plan(Fault(200, {"jobs": [{"status": 1}] * 100}), times=None)
    with pytest.raises(AnswerNotUnderstood, match="20,000 jobs are too many"):
        await cph.fetch_job(REF)
    assert len(simulator.calls) == MAX_PAGES


async def test_request_without_jobs_is_not_found(cph: Provider[Any]) -> None:
    """The API returns an empty list for an unknown id."""
    with pytest.raises(JobNotFound, match="write jobs/ before it"):
        await cph.fetch_job(REF)


async def test_single_job_can_be_fetched(cph: Provider[Any], simulator: Simulator) -> None:
    """The prefix jobs/ distinguishes its id from a request's."""
    simulator.add(RequestScript(ID, (PhoneJob("phone-0"), PhoneJob("phone-1"))))
    job = await cph.fetch_job(ref(f"jobs/{job_id(ID, 1)}"))
    assert [task.name for task in job.tasks] == ["phone-1"]


async def test_missing_single_job_is_not_found(cph: Provider[Any]) -> None:
    """It is treated like a missing request."""
    with pytest.raises(JobNotFound):
        await cph.fetch_job(ref(f"jobs/{ID}"))


@pytest.mark.parametrize("id_", ["a,b", "a b", "a/b", "jobs/", "jobs/a/b", "..", "a\nb", "x" * 65])
async def test_ambiguous_id_is_rejected_without_a_call(
    cph: Provider[Any], simulator: Simulator, id_: str
) -> None:
    """It is the user's mistake."""
    with pytest.raises(BadReference):
        await cph.fetch_job(ref(id_))
    assert not simulator.calls


# Errors


async def test_check_fetches_a_missing_request(cph: Provider[Any], simulator: Simulator) -> None:
    """An empty list proves address and credentials right."""
    assert "accepts the credentials" in await cph.check()
    assert sent_values(simulator, "request_id") == [MISSING_ID]


# Texts and pages

BASE = f"https://cph.cn-north-4.myhuaweicloud.com/v1/{PROJECT}/cloud-phone/jobs"


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        (f"see {BASE}?request_id={ID}.", [ID]),
        (f"{BASE}?limit=10&request_ids={ID}%2C{'a' * 32}", [ID, "a" * 32]),
        (f"{BASE}?request_ids={ID},{'a' * 32}, and more", [ID, "a" * 32]),
        (f"{BASE}?request_ids={ID}&request_id={'a' * 32}", [ID]),
        (f"<{BASE}/{ID}|the job>", [f"jobs/{ID}"]),
        (f"{BASE.replace('cph.cn', 'CPH.CN')}?request_id={ID}", [ID]),
        (f"{BASE}?offset=0", []),
        (f"{BASE}?request_id={ID}0", []),
        (f"{BASE.replace(PROJECT, 'f' * 32)}?request_id={ID}", []),
        (f"{BASE.replace('north', 'east')}?request_id={ID}", []),
    ],
)
def test_api_url_is_recognised_for_own_host_and_project(text: str, ids: list[str]) -> None:
    """Two connections must not claim the same request."""
    assert list(build_provider().find_ids(text)) == ids


def test_console_url_is_recognised_by_its_template() -> None:
    """Users paste such URLs."""
    provider = build_provider(console_url="https://console.example.com/#/requests/{id}/view")
    text = f"<https://console.example.com/#/requests/{ID}/view|this one>"
    assert list(provider.find_ids(text)) == [ID]


def test_console_page_follows_the_template() -> None:
    """Cloud Phone's own URL of a request is undocumented, so it can be set."""
    provider = build_provider(console_url="https://console.example.com/requests/{id}")
    assert provider.console_url(_job(ID)) == f"https://console.example.com/requests/{ID}"


@pytest.mark.parametrize("id_", [ID, f"jobs/{ID}"])
def test_console_page_defaults_to_the_service(id_: str) -> None:
    """The job's own page is unknown."""
    assert (
        build_provider().console_url(_job(id_))
        == "https://console.huaweicloud.com/cph/?region=cn-north-4"
    )


def test_single_job_has_no_page_by_the_template() -> None:
    """The template is for requests."""
    provider = build_provider(console_url="https://console.example.com/requests/{id}")
    assert "example" not in str(provider.console_url(_job(f"jobs/{ID}")))


def test_plugin_registers_cph() -> None:
    """It uses the same hook as third-party plugins."""
    assert list(register_providers()) == [Cph]


def _job(id_: str) -> Job:
    return Job(ref=ref(id_), name="x", status=Status.RUNNING)
