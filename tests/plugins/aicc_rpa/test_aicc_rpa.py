"""AICC RPA's provider against its simulator."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.sdk.errors import (
    Ambiguous,
    AnswerNotUnderstood,
    CredentialsRefused,
    JobNotFound,
    JobthreadError,
    ProviderError,
    Unavailable,
)
from bot.sdk.models import Status
from bot.sdk.testing import Fault, ManualClock
from plugins.aicc_rpa import AiccRpa, register_providers
from plugins.aicc_rpa.simulator import Simulator
from tests.plugins.fixtures import ref

pytestmark = pytest.mark.anyio

RECORDED = Path(__file__).parent / "data"
UID = "0c9358552188478a8d5ff9203db8791f"
CALL = "/oifde/rest/api/rpa/queryJobDetails"
API = f"https://10.0.3.17:8443{CALL}"
FIELDS = {"url": "https://10.0.3.17:8443", "tenant_id": "2022", "app_secret": "made-up"}
FAILED = {"status": "running", "recentTaskStatus": "failed", "mode": "queueTrigger"}
REF = ref(UID)


def recorded(name: str) -> str:
    return (RECORDED / f"{name}.json").read_text()


def build_provider(**settings: str) -> AiccRpa:
    """Return a provider that is not connected."""
    fields = AiccRpa.Settings.model_validate(FIELDS | settings)
    return AiccRpa("robots", fields, ManualClock())  # type: ignore[arg-type]


async def error_text(rpa: AiccRpa, kind: type[JobthreadError]) -> str:
    """Return the sentence of the error that a fetch raises."""
    with pytest.raises(kind) as caught:
        await rpa.fetch_job(REF)
    return str(caught.value)


# Errors


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (10000001, Unavailable),
        (200900002, Unavailable),
        (10000002, JobNotFound),
        (10000003, JobNotFound),
        (200900003, JobNotFound),
        (20000001, AnswerNotUnderstood),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
async def test_error_code_is_read_whatever_the_http_status(
    rpa: AiccRpa, simulator: Simulator, code: int, kind: type[ProviderError], status: int
) -> None:
    """RPA sends errors with HTTP 200."""
    await rpa.fetch_job(REF)
    simulator.fail_calls(code, status=status)
    assert str(code) in await error_text(rpa, kind)


async def test_job_without_details_is_not_found(rpa: AiccRpa, simulator: Simulator) -> None:
    """The recorded response has the code 0."""
    await rpa.fetch_job(REF)
    simulator.faults.plan(Fault(200, recorded("not_found")))
    await error_text(rpa, JobNotFound)


async def test_404_is_not_a_missing_job(rpa: AiccRpa, simulator: Simulator) -> None:
    """It means that the url is wrong."""
    await rpa.fetch_job(REF)
    simulator.faults.plan(Fault(404, "<html>nginx</html>"))
    assert "check url" in await error_text(rpa, AnswerNotUnderstood)


# Names


async def test_job_is_found_by_its_name(rpa: AiccRpa, simulator: Simulator) -> None:
    """Users do not remember uids."""
    uid = simulator.put("Nightly_export")
    job = await rpa.fetch_job(ref("Nightly_export"))
    assert (job.name, job.ref.id) == ("Nightly_export", uid)
    assert json.loads(simulator.calls[-1].body)["jobName"] == "Nightly_export"
    assert (await rpa.fetch_job(ref(uid))).name == job.name


async def test_name_may_be_percent_encoded(rpa: AiccRpa, simulator: Simulator) -> None:
    """A reference in a command has no spaces."""
    simulator.put("Nightly export")
    assert (await rpa.fetch_job(ref("Nightly%20export"))).name == "Nightly export"


async def test_exact_name_takes_precedence(rpa: AiccRpa, simulator: Simulator) -> None:
    """The API's search also returns longer names."""
    simulator.put("Nightly")
    simulator.put("Nightly_2")
    assert (await rpa.fetch_job(ref("Nightly"))).name == "Nightly"


async def test_jobs_of_the_same_name_are_a_choice(rpa: AiccRpa, simulator: Simulator) -> None:
    """Each choice has its details, and its uid as reference."""
    uids = {simulator.put("Twin", createTime=f"2024-06-0{day} 08:00:00") for day in (1, 2)}
    with pytest.raises(Ambiguous, match="several jobs of that name") as caught:
        await rpa.fetch_job(ref("Twin"))
    assert {each.id for each, _ in caught.value.choices} == uids
    first, label = caught.value.choices[0]
    assert label == "Twin, once"
    assert caught.value.created[first] == datetime(2024, 6, 1, 0, 0, tzinfo=UTC)


async def test_similar_name_is_not_taken_for_a_match(rpa: AiccRpa, simulator: Simulator) -> None:
    """The user must confirm the job."""
    uid = simulator.put("Nightly_2")
    with pytest.raises(Ambiguous, match="no job of exactly that name") as caught:
        await rpa.fetch_job(ref("Nightly"))
    assert [each.id for each, _ in caught.value.choices] == [uid]


async def test_unknown_name_is_not_found(rpa: AiccRpa) -> None:
    """It is treated like an unknown uid."""
    with pytest.raises(JobNotFound):
        await rpa.fetch_job(ref("Nobody"))


# Reasons


async def test_failed_run_has_its_queues_reason(rpa: AiccRpa, simulator: Simulator) -> None:
    """The item was created before the run started."""
    await rpa.fetch_job(REF)
    for name in ("example", "queue"):
        simulator.faults.plan(Fault(200, recorded(name)))
    message = (await rpa.fetch_job(REF)).tasks[0].message
    assert message.startswith("The queue's last failed entry says: The customer's number is")


async def test_reason_is_fetched_once_per_run(rpa: AiccRpa, simulator: Simulator) -> None:
    """A job may keep its state for days."""
    row = {"id": 1, "status": "failed", "failedReason": "No number."}
    simulator.queue_items["q1"] = [row]
    uid = simulator.put(queueUid="q1", startTime="2024-06-06 12:00:00", **FAILED)
    for _ in range(3):
        assert "No number." in (await rpa.fetch_job(ref(uid))).tasks[0].message
    assert simulator.operations.count("queryRpaQueueData") == 1
    simulator.override(uid, startTime="2024-06-06 13:00:00")
    await rpa.fetch_job(ref(uid))
    assert simulator.operations.count("queryRpaQueueData") == 2


async def test_queue_without_a_reason_does_not_hide_the_job(
    rpa: AiccRpa, simulator: Simulator
) -> None:
    """The failure is shown without it."""
    uid = simulator.put(queueUid="q1", **FAILED)
    await rpa.fetch_job(REF)
    simulator.faults.plan(Fault())
    simulator.fail_calls(10000001)
    job = await rpa.fetch_job(ref(uid))
    assert (job.tasks[0].status, job.tasks[0].message) == (Status.FAILED, "")


@pytest.mark.parametrize("newest_first", [True, False])
async def test_newest_failure_is_on_the_first_or_last_page(
    rpa: AiccRpa, simulator: Simulator, *, newest_first: bool
) -> None:
    """The order of the items is undocumented."""
    simulator.newest_first = newest_first
    simulator.queue_items["q1"] = [
        {"id": n, "status": "failed", "createTime": n, "failedReason": f"reason {n}"}
        for n in range(1, 132)
    ]
    uid = simulator.put(queueUid="q1", startTime="2024-06-06 12:00:00", **FAILED)
    assert (await rpa.fetch_job(ref(uid))).tasks[0].message.endswith("reason 131")


async def test_no_reason_is_fetched_for_a_successful_run(
    rpa: AiccRpa, simulator: Simulator
) -> None:
    """The same holds for a job without a queue."""
    for fields in ({"queueUid": "q1", "recentTaskStatus": "success"}, {**FAILED, "queueUid": None}):
        await rpa.fetch_job(ref(simulator.put(**fields)))
    assert "queryRpaQueueData" not in simulator.operations


# Lists


@pytest.mark.parametrize("newest_first", [True, False])
async def test_recent_jobs_are_newest_first(
    rpa: AiccRpa, simulator: Simulator, *, newest_first: bool
) -> None:
    """The order of the API does not matter."""
    simulator.newest_first = newest_first
    for n in range(120):
        simulator.put(f"N{n}", createTime=f"2027-01-01 {n // 60:02}:{n % 60:02}:00", mode="repeat")
    jobs = await rpa.recent_jobs(3)
    assert [job.name for job in jobs] == ["N119", "N118", "N117"]
    assert all(len(job.ref.id) == 32 for job in jobs)


async def test_recent_ended_job_has_its_final_status(rpa: AiccRpa, simulator: Simulator) -> None:
    """The list omits the status of runs, so details are fetched."""
    simulator.put("Ended", status="success", recentTaskStatus="failed", createTime="2027")
    (job,) = await rpa.recent_jobs(1)
    assert job.status is Status.FAILED
    assert simulator.operations[-2:] == ["queryJob", "queryJobDetails"]


async def test_recent_job_may_be_deleted_meanwhile(rpa: AiccRpa, simulator: Simulator) -> None:
    """The rest of the list is still shown."""
    await rpa.fetch_job(REF)
    for name in ("list", "not_found"):
        simulator.faults.plan(Fault(200, recorded(name)))
    assert [job.name for job in await rpa.recent_jobs(5)] == ["Export_invoices"]


async def test_check_counts_the_jobs(rpa: AiccRpa) -> None:
    """It needs the address, the tenant and the password."""
    assert (await rpa.check()).endswith("accepts the API password and has 7 jobs.")


@pytest.mark.parametrize("code", [200800002, 200800003, 900002])
async def test_check_error_names_the_settings(
    rpa: AiccRpa, simulator: Simulator, code: int
) -> None:
    """The sentence says what to correct."""
    simulator.fail_calls(code, times=None)
    with pytest.raises(CredentialsRefused, match="tenant_id and app_secret"):
        await rpa.check()


# Texts


@pytest.mark.parametrize(
    "text",
    [
        f'curl {API} -d \'{{"authToken": "x", "uid": "{UID}"}}\'',
        f"curl HTTPS://10.0.3.17:8443{CALL} -d {{“uid”: “{UID}”}}",
        f"see https://rpa.example.com/#/jobs/{UID}.",
    ],
)
def test_pasted_call_or_page_is_recognised(text: str) -> None:
    """The uid is in the body of the call, not in its URL."""
    provider = build_provider(console_url="https://rpa.example.com/#/jobs/{id}")
    assert list(provider.find_ids(text)) == [UID]


@pytest.mark.parametrize(
    "text",
    [
        f"{API.replace('17', '18')} uid={UID}",
        f"{API} uid={UID}0",
        f"uid={UID}",
        f"{API} {'x' * 500} uid={UID}",
    ],
)
def test_other_systems_call_is_not_recognised(text: str) -> None:
    """Two connections must not claim the same job."""
    assert not list(build_provider().find_ids(text))


@pytest.mark.parametrize("text", ["AICC_RPA", "Case creation", UID, "发票"])
def test_name_needs_the_connections_name(text: str) -> None:
    """Otherwise every word could mean a job of this connection."""
    assert build_provider().id_format.named.fullmatch(text)
    assert bool(build_provider().id_format.pattern.fullmatch(text)) == (text == UID)


async def test_job_url_follows_the_template(rpa: AiccRpa, simulator: Simulator) -> None:
    """It has the uid, even if the job was requested by name."""
    uid = simulator.put("Export")
    rpa.settings = rpa.settings.model_copy(update={"console_url": "https://x.example.com/{id}"})
    job = await rpa.fetch_job(ref("Export"))
    assert rpa.console_url(job) == f"https://x.example.com/{uid}"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("timezone", "Mars/Olympus", "Asia/Shanghai"),
        ("timezone", "/etc/passwd", "Asia/Shanghai"),
        ("tenant_id", "", "at least 1"),
        ("url", "10.0.3.17:8443", "url must be an address"),
    ],
)
def test_wrong_setting_is_reported_with_its_fix(key: str, value: str, message: str) -> None:
    """Start-up reports it, not the first request."""
    with pytest.raises(ValidationError, match=message):
        build_provider(**{key: value})


def test_plugin_registers_aicc_rpa() -> None:
    """It uses the same hook as third-party plugins."""
    assert list(register_providers()) == [AiccRpa]
