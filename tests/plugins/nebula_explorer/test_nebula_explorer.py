"""NebulaGraph Explorer's provider against its simulator."""

import asyncio
import json
from base64 import b64decode
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from bot.sdk.errors import (
    AccessDenied,
    AnswerNotUnderstood,
    BadReference,
    CredentialsRefused,
    JobNotFound,
    JobthreadError,
    ProviderError,
    Unavailable,
)
from bot.sdk.models import Job, Status
from bot.sdk.testing import Fault, ManualClock
from plugins.nebula_explorer import NebulaExplorer, register_providers
from plugins.nebula_explorer.simulator import PASSWORD, Simulator
from tests.plugins.fixtures import ref

pytestmark = pytest.mark.anyio

RECORDED = Path(__file__).parent / "data"
URL = "http://192.168.8.145:7002"
FIELDS = {"url": URL, "graph_address": "graphd", "user": "root", "password": "made-up"}
REF = ref("1964")


def build_provider(**settings: object) -> NebulaExplorer:
    """Return a provider that is not connected."""
    fields = NebulaExplorer.Settings.model_validate(FIELDS | settings)
    return NebulaExplorer("graphs", fields, ManualClock())  # type: ignore[arg-type]


async def error_text(explorer: NebulaExplorer, kind: type[JobthreadError]) -> str:
    """Return the sentence of the error that a fetch raises."""
    with pytest.raises(kind) as caught:
        await explorer.fetch_job(REF)
    return str(caught.value)


def sent_accounts(simulator: Simulator) -> list[str]:
    """Return the decoded sent_accounts of all sign-ins."""
    headers = [call.headers for call in simulator.calls if call.path.endswith("/connect")]
    return [b64decode(each["Authorization"].split()[1]).decode() for each in headers]


# Sessions


async def test_session_serves_all_calls(explorer: NebulaExplorer, simulator: Simulator) -> None:
    """Its token is sent as a cookie."""
    for _ in range(3):
        await explorer.fetch_job(REF)
    assert simulator.operations == ["connect", *["1964"] * 3]
    (token,) = simulator.sessions
    assert simulator.calls[-1].headers["Cookie"] == f"explorer_token={token}"


async def test_account_is_sent_as_an_array(explorer: NebulaExplorer, simulator: Simulator) -> None:
    """This is the form since Explorer 3.4, with the graph to connect to."""
    await explorer.fetch_job(REF)
    assert sent_accounts(simulator) == [f'["root","{PASSWORD}"]']
    assert json.loads(simulator.calls[0].body) == {"address": "192.168.8.111", "port": 9669}


async def test_older_explorer_gets_the_colon_form(
    explorer: NebulaExplorer, simulator: Simulator
) -> None:
    """It is detected once per connection."""
    simulator.colon_credentials = True
    await explorer.fetch_job(REF)
    simulator.restart()
    await explorer.fetch_job(REF)
    array, colon = f'["root","{PASSWORD}"]', f"root:{PASSWORD}"
    assert sent_accounts(simulator) == [array, colon, colon]


@pytest.mark.parametrize("status", [400, 401])
async def test_older_explorer_may_reject_without_a_code(
    explorer: NebulaExplorer, simulator: Simulator, status: int
) -> None:
    """The other encoding is tried then, too."""
    simulator.colon_credentials = True
    simulator.faults.plan(Fault(status, "no"))
    assert await explorer.fetch_job(REF)


async def test_ended_session_is_renewed_once(
    explorer: NebulaExplorer, simulator: Simulator
) -> None:
    """Explorer drops sessions at a restart."""
    await explorer.fetch_job(REF)
    simulator.faults.plan(Fault(200, (RECORDED / "error_session.json").read_text()))
    assert await explorer.fetch_job(REF)
    assert simulator.sessions_issued == 2


async def test_concurrent_calls_renew_an_ended_session_once(
    explorer: NebulaExplorer, simulator: Simulator
) -> None:
    """Later callers take the new one."""
    await explorer.fetch_job(REF)
    simulator.restart()
    await asyncio.gather(*(explorer.fetch_job(REF) for _ in range(20)))
    assert simulator.sessions_issued == 2


async def test_session_is_renewed_before_it_expires(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """The cookie states when."""
    await explorer.fetch_job(REF)
    await clock.advance(259_199)
    await explorer.fetch_job(REF)
    assert simulator.operations == ["connect", "1964"] * 2


async def test_rejected_new_session_pauses_for_five_minutes(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """Otherwise every poll would sign in again."""
    await explorer.fetch_job(REF)
    for fault in (Fault(401, {"code": 40104001}), Fault(), Fault(401, {"code": 40104001})):
        simulator.faults.plan(fault)
    assert "even a new session" in await error_text(explorer, CredentialsRefused)
    calls = len(simulator.calls)
    await error_text(explorer, CredentialsRefused)
    assert len(simulator.calls) == calls
    await clock.advance(300)
    assert await explorer.fetch_job(REF)


async def test_wrong_password_is_not_retried_for_5_minutes(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """Each encoding was tried once; NebulaGraph may lock sent_accounts."""
    simulator.fail_calls(40104000, times=2)
    for _ in range(3):
        assert "check user and password" in await error_text(explorer, CredentialsRefused)
    assert simulator.operations == ["connect"] * 2
    await clock.advance(300)
    assert await explorer.fetch_job(REF)


@pytest.mark.parametrize("code", [50004000, 50004002, 90004000])
async def test_sign_in_server_error_is_no_wrong_password(
    explorer: NebulaExplorer, simulator: Simulator, code: int
) -> None:
    """It is transient, whatever the other encoding returned."""
    simulator.fail_calls(code)
    simulator.fail_calls(40104000)
    await error_text(explorer, Unavailable)
    assert await explorer.fetch_job(REF)


async def test_sign_in_not_found_is_no_missing_job(
    explorer: NebulaExplorer, simulator: Simulator
) -> None:
    """A wrong address must not end threads."""
    simulator.fail_calls(40404000, times=2)
    await error_text(explorer, CredentialsRefused)


async def test_foreign_sign_in_response_is_no_missing_job(
    explorer: NebulaExplorer, simulator: Simulator
) -> None:
    """A wrong url must not end threads."""
    simulator.faults.plan(Fault(404, "<html>nginx</html>"))
    assert "check url" in await error_text(explorer, AnswerNotUnderstood)


@pytest.mark.parametrize("cookie", ["", "other=1", "explorer_token=", "explorer_token=;=;"])
async def test_response_without_session_is_not_understood(
    explorer: NebulaExplorer, simulator: Simulator, cookie: str
) -> None:
    """Another system may have answered."""
    simulator.faults.plan(Fault(200, {"code": 0}, {"Set-Cookie": cookie} if cookie else {}))
    assert "no session" in await error_text(explorer, AnswerNotUnderstood)
    assert await explorer.fetch_job(REF)


async def test_token_is_in_no_error_and_no_log(
    explorer: NebulaExplorer, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """It holds the password."""
    caplog.set_level("DEBUG", logger="bot")
    caplog.set_level("DEBUG", logger="plugins")
    await explorer.fetch_job(REF)
    (token,) = simulator.sessions
    for body in ({"code": 1, "message": token}, {"code": 0, "data": token}, token):
        simulator.faults.plan(Fault(200, body))
        assert token not in await error_text(explorer, AnswerNotUnderstood)
    assert token not in caplog.text


# Errors


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (40004000, JobNotFound),
        (40004001, JobNotFound),
        (40104000, CredentialsRefused),
        (40304000, AccessDenied),
        (40404000, JobNotFound),
        (50004000, Unavailable),
        (50004001, Unavailable),
        (50004002, Unavailable),
        (50004003, AccessDenied),
        (90004000, Unavailable),
        (40304077, AccessDenied),
        (50004077, Unavailable),
        (12345678, AnswerNotUnderstood),
    ],
)
@pytest.mark.parametrize("status", [200, 404, 500])
async def test_code_is_read_whatever_the_http_status(
    explorer: NebulaExplorer,
    simulator: Simulator,
    code: int,
    kind: type[ProviderError],
    status: int,
) -> None:
    """Whether codes have a matching status is undocumented."""
    await explorer.fetch_job(REF)
    simulator.faults.plan(Fault(status, {"code": code, "message": "made up"}))
    assert str(code) in await error_text(explorer, kind)


async def test_foreign_404_is_not_a_missing_job(
    explorer: NebulaExplorer, simulator: Simulator
) -> None:
    """The url is wrong, or the page Workflow is switched off."""
    await explorer.fetch_job(REF)
    simulator.faults.plan(Fault(404, "404 page not found"))
    assert "Workflow" in await error_text(explorer, AnswerNotUnderstood)


@pytest.mark.parametrize("id_", ["x", "1/2", "-1", "1.5", "1" * 19, "../connect"])
async def test_non_numeric_id_is_rejected_without_a_call(
    explorer: NebulaExplorer, simulator: Simulator, id_: str
) -> None:
    """It is the user's mistake."""
    with pytest.raises(BadReference):
        await explorer.fetch_job(ref(id_))
    assert not simulator.calls


# Lists


async def test_recent_jobs_are_newest_first(explorer: NebulaExplorer, simulator: Simulator) -> None:
    """One call fetches them, without their tasks."""
    ids = [simulator.put(f"N{n}", createTime=2_000_000_000_000 + n) for n in range(5)]
    jobs = await explorer.recent_jobs(3)
    assert [job.ref.id for job in jobs] == ids[:1:-1]
    assert all(job.url and not job.tasks for job in jobs)
    query = parse_qs(urlsplit(simulator.calls[-1].path).query)
    assert json.loads(query["filter"][0]) == {"orderByCreateTime": "desc"}
    assert (query["pageSize"], query["page"]) == (["3"], ["1"])


async def test_check_counts_the_jobs(explorer: NebulaExplorer) -> None:
    """It needs the address, the account and the graph."""
    assert (await explorer.check()).endswith("lets the user in and has 5 jobs.")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(401, {"code": 40104000}), "user and password"),
        (Fault(404, "<html>"), "check url"),
        (Fault(500, {"code": 50004002}), "Dag Controller"),
        (Fault(500, {"code": 50004003}), "licence"),
    ],
)
async def test_check_error_names_the_settings(
    explorer: NebulaExplorer, simulator: Simulator, fault: Fault, expected: str
) -> None:
    """The sentence says what to correct."""
    simulator.faults.plan(fault, times=None)
    with pytest.raises(ProviderError, match=expected):
        await explorer.check()


# Texts


@pytest.mark.parametrize(
    "text",
    [
        f"curl -H 'Cookie: x' {URL}/api-open/v1/jobs/1964",
        f"{URL.upper()}/api-open/v1/jobs/1964/cancel",
        "<https://explorer.example.com/workflow/1964|this one>",
    ],
)
def test_api_and_console_urls_are_recognised(text: str) -> None:
    """Only those of this host match."""
    provider = build_provider(console_url="https://explorer.example.com/workflow/{id}")
    assert list(provider.find_ids(text)) == ["1964"]


@pytest.mark.parametrize(
    "text",
    [
        "http://192.168.8.146:7002/api-open/v1/jobs/1964",
        "http://192.168.8.145:7003/api-open/v1/jobs/1964",
        f"{URL}/api-open/v1/jobs/1964x",
        f"{URL}/api-open/v1/jobs?filter=1964",
    ],
)
def test_other_hosts_url_is_not_recognised(text: str) -> None:
    """Two connections must not claim the same job."""
    assert not list(build_provider().find_ids(text))


def test_job_url_follows_the_template_or_is_explorers() -> None:
    """The URL of a job's own page is undocumented."""
    job = Job(ref=REF, name="x", status=Status.RUNNING)
    assert build_provider().console_url(job) == f"{URL}/"
    assert build_provider(console_url="https://x.example.com/{id}").console_url(job) == (
        "https://x.example.com/1964"
    )


@pytest.mark.parametrize("settings", [{"graph_port": 0}, {"graph_port": 70_000}, {"user": ""}])
def test_wrong_setting_is_rejected_at_start_up(settings: dict[str, object]) -> None:
    """The first request would be too late."""
    with pytest.raises(ValidationError):
        build_provider(**settings)


def test_plugin_registers_nebula_explorer() -> None:
    """It uses the same hook as third-party plugins."""
    assert list(register_providers()) == [NebulaExplorer]
