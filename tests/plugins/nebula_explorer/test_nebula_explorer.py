"""NebulaGraph Explorer as the bot asks it."""

import asyncio
import json
from base64 import b64decode
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from bot.errors import (
    AccessDenied,
    AnswerNotUnderstood,
    BadReference,
    CredentialsRefused,
    JobNotFound,
    JobthreadError,
    ProviderError,
    Unavailable,
)
from bot.models import Job, JobRef, Status
from bot.testing import Fault, ManualClock
from plugins.nebula_explorer import NebulaExplorer, register_providers
from plugins.nebula_explorer.simulator import PASSWORD, Simulator

pytestmark = pytest.mark.anyio

RECORDED = Path(__file__).parent / "data"
URL = "http://192.168.8.145:7002"
FIELDS = {"url": URL, "graph_address": "graphd", "user": "root", "password": "made-up"}


def ref(id_: str = "1964") -> JobRef:
    return JobRef(connection="acme", id=id_)


def made(**settings: object) -> NebulaExplorer:
    """Return a provider that is not connected."""
    fields = NebulaExplorer.Settings.model_validate(FIELDS | settings)
    return NebulaExplorer("graphs", fields, ManualClock())  # type: ignore[arg-type]


async def refused(explorer: NebulaExplorer, kind: type[JobthreadError]) -> str:
    """Return the sentence with which a look fails."""
    with pytest.raises(kind) as caught:
        await explorer.fetch_job(ref())
    return str(caught.value)


def accounts(simulator: Simulator) -> list[str]:
    """Return the accounts that were shown at the door, decoded."""
    headers = [call.headers for call in simulator.calls if call.path.endswith("/connect")]
    return [b64decode(each["Authorization"].split()[1]).decode() for each in headers]


# Sessions


async def test_a_session_serves_all_calls(explorer: NebulaExplorer, simulator: Simulator) -> None:
    """Its token is sent as a cookie."""
    for _ in range(3):
        await explorer.fetch_job(ref())
    assert simulator.asked == ["connect", *["1964"] * 3]
    (token,) = simulator.sessions
    assert simulator.calls[-1].headers["Cookie"] == f"explorer_token={token}"


async def test_an_account_is_shown_as_an_array(
    explorer: NebulaExplorer, simulator: Simulator
) -> None:
    """As since Explorer 3.4, with the graph to connect to."""
    await explorer.fetch_job(ref())
    assert accounts(simulator) == [f'["root","{PASSWORD}"]']
    assert json.loads(simulator.calls[0].body) == {"address": "192.168.8.111", "port": 9669}


async def test_an_older_explorer_is_shown_the_account_with_a_colon(
    explorer: NebulaExplorer, simulator: Simulator
) -> None:
    """Which is found out once, and remembered."""
    simulator.colon = True
    await explorer.fetch_job(ref())
    simulator.restart()
    await explorer.fetch_job(ref())
    array, colon = f'["root","{PASSWORD}"]', f"root:{PASSWORD}"
    assert accounts(simulator) == [array, colon, colon]


@pytest.mark.parametrize("status", [400, 401])
async def test_an_older_explorer_may_refuse_without_a_code(
    explorer: NebulaExplorer, simulator: Simulator, status: int
) -> None:
    """The other encoding is tried then, too."""
    simulator.colon = True
    simulator.faults.plan(Fault(status, "no"))
    assert await explorer.fetch_job(ref())


async def test_a_session_that_ended_is_renewed_once(
    explorer: NebulaExplorer, simulator: Simulator
) -> None:
    """Explorer forgets them when it is started anew."""
    await explorer.fetch_job(ref())
    simulator.faults.plan(Fault(200, (RECORDED / "error_session.json").read_text()))
    assert await explorer.fetch_job(ref())
    assert simulator.sessions_given == 2


async def test_many_calls_whose_session_ended_renew_it_once(
    explorer: NebulaExplorer, simulator: Simulator
) -> None:
    """Whoever comes second takes the new one."""
    await explorer.fetch_job(ref())
    simulator.restart()
    await asyncio.gather(*(explorer.fetch_job(ref()) for _ in range(20)))
    assert simulator.sessions_given == 2


async def test_a_session_is_renewed_before_it_ends(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """The cookie says when."""
    await explorer.fetch_job(ref())
    await clock.advance(259_199)
    await explorer.fetch_job(ref())
    assert simulator.asked == ["connect", "1964"] * 2


async def test_a_new_session_that_is_refused_ends_the_asking_for_five_minutes(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """Else every look would sign in anew."""
    await explorer.fetch_job(ref())
    for fault in (Fault(401, {"code": 40104001}), Fault(), Fault(401, {"code": 40104001})):
        simulator.faults.plan(fault)
    assert "even a new session" in await refused(explorer, CredentialsRefused)
    calls = len(simulator.calls)
    await refused(explorer, CredentialsRefused)
    assert len(simulator.calls) == calls
    await clock.advance(300)
    assert await explorer.fetch_job(ref())


async def test_a_wrong_password_is_not_tried_again_for_five_minutes(
    explorer: NebulaExplorer, simulator: Simulator, clock: ManualClock
) -> None:
    """Each encoding was tried once; NebulaGraph may lock accounts."""
    simulator.refuse(40104000, times=2)
    for _ in range(3):
        assert "check user and password" in await refused(explorer, CredentialsRefused)
    assert simulator.asked == ["connect"] * 2
    await clock.advance(300)
    assert await explorer.fetch_job(ref())


@pytest.mark.parametrize("code", [50004000, 50004002, 90004000])
async def test_trouble_at_the_door_is_no_wrong_password(
    explorer: NebulaExplorer, simulator: Simulator, code: int
) -> None:
    """It is passing, whatever the other encoding met."""
    simulator.refuse(code)
    simulator.refuse(40104000)
    await refused(explorer, Unavailable)
    assert await explorer.fetch_job(ref())


async def test_nothing_found_at_the_door_is_no_missing_job(
    explorer: NebulaExplorer, simulator: Simulator
) -> None:
    """Threads must not end because an address is wrong."""
    simulator.refuse(40404000, times=2)
    await refused(explorer, CredentialsRefused)


async def test_a_door_that_is_not_explorers_is_no_missing_job(
    explorer: NebulaExplorer, simulator: Simulator
) -> None:
    """Threads must not end because a url is wrong."""
    simulator.faults.plan(Fault(404, "<html>nginx</html>"))
    assert "check url" in await refused(explorer, AnswerNotUnderstood)


@pytest.mark.parametrize("cookie", ["", "other=1", "explorer_token=", "explorer_token=;=;"])
async def test_an_answer_without_a_session_is_not_understood(
    explorer: NebulaExplorer, simulator: Simulator, cookie: str
) -> None:
    """It may have been something else that answered."""
    simulator.faults.plan(Fault(200, {"code": 0}, {"Set-Cookie": cookie} if cookie else {}))
    assert "no session" in await refused(explorer, AnswerNotUnderstood)
    assert await explorer.fetch_job(ref())


async def test_the_token_is_in_no_error_and_no_log(
    explorer: NebulaExplorer, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """It holds the password."""
    caplog.set_level("DEBUG", logger="bot")
    caplog.set_level("DEBUG", logger="plugins")
    await explorer.fetch_job(ref())
    (token,) = simulator.sessions
    for body in ({"code": 1, "message": token}, {"code": 0, "data": token}, token):
        simulator.faults.plan(Fault(200, body))
        assert token not in await refused(explorer, AnswerNotUnderstood)
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
async def test_a_code_is_read_whatever_the_http_status(
    explorer: NebulaExplorer,
    simulator: Simulator,
    code: int,
    kind: type[ProviderError],
    status: int,
) -> None:
    """Whether codes come with a status of their kind is not documented."""
    await explorer.fetch_job(ref())
    simulator.faults.plan(Fault(status, {"code": code, "message": "made up"}))
    assert str(code) in await refused(explorer, kind)


async def test_a_404_without_a_code_is_not_taken_for_a_missing_job(
    explorer: NebulaExplorer, simulator: Simulator
) -> None:
    """The url is wrong, or the page Workflow is not switched on."""
    await explorer.fetch_job(ref())
    simulator.faults.plan(Fault(404, "404 page not found"))
    assert "Workflow" in await refused(explorer, AnswerNotUnderstood)


@pytest.mark.parametrize("id_", ["x", "1/2", "-1", "1.5", "1" * 19, "../connect"])
async def test_an_id_that_is_no_whole_number_is_refused(
    explorer: NebulaExplorer, simulator: Simulator, id_: str
) -> None:
    """It is a mistake of the asker, and no call is made."""
    with pytest.raises(BadReference):
        await explorer.fetch_job(ref(id_))
    assert not simulator.calls


# Lists


async def test_recent_jobs_come_newest_first(
    explorer: NebulaExplorer, simulator: Simulator
) -> None:
    """In one call, without their tasks."""
    ids = [simulator.put(f"N{n}", createTime=2_000_000_000_000 + n) for n in range(5)]
    jobs = await explorer.recent_jobs(3)
    assert [job.ref.id for job in jobs] == ids[:1:-1]
    assert all(job.url and not job.tasks for job in jobs)
    query = parse_qs(urlsplit(simulator.calls[-1].path).query)
    assert json.loads(query["filter"][0]) == {"orderByCreateTime": "desc"}
    assert (query["pageSize"], query["page"]) == (["3"], ["1"])


async def test_a_check_counts_the_jobs(explorer: NebulaExplorer) -> None:
    """Which needs the address, the account and the graph."""
    assert (await explorer.check()).endswith("lets the user in and has 5 jobs.")


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault(401, {"code": 40104000}), "user and password"),
        (Fault(404, "<html>"), "check url"),
        (Fault(500, {"code": 50004002}), "Dag Controller"),
        (Fault(500, {"code": 50004003}), "licence"),
    ],
)
async def test_a_check_says_what_to_mend(
    explorer: NebulaExplorer, simulator: Simulator, fault: Fault, told: str
) -> None:
    """By the names of the settings."""
    simulator.faults.plan(fault, times=None)
    with pytest.raises(ProviderError, match=told):
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
def test_a_url_of_the_api_or_the_console_is_recognised(text: str) -> None:
    """Of this host only."""
    provider = made(console_url="https://explorer.example.com/workflow/{id}")
    assert list(provider.recognise(text)) == ["1964"]


@pytest.mark.parametrize(
    "text",
    [
        "http://192.168.8.146:7002/api-open/v1/jobs/1964",
        "http://192.168.8.145:7003/api-open/v1/jobs/1964",
        f"{URL}/api-open/v1/jobs/1964x",
        f"{URL}/api-open/v1/jobs?filter=1964",
    ],
)
def test_another_explorers_url_is_not_recognised(text: str) -> None:
    """Two connections must not both claim a job."""
    assert not list(made().recognise(text))


def test_a_card_leads_to_the_page_of_the_template_or_to_explorer() -> None:
    """The address of a job's own page is not documented."""
    job = Job(ref=ref(), name="x", status=Status.RUNNING)
    assert made().console_url(job) == f"{URL}/"
    assert made(console_url="https://x.example.com/{id}").console_url(job) == (
        "https://x.example.com/1964"
    )


@pytest.mark.parametrize("settings", [{"graph_port": 0}, {"graph_port": 70_000}, {"user": ""}])
def test_a_wrong_setting_is_refused_at_the_start(settings: dict[str, object]) -> None:
    """Not at the first question."""
    with pytest.raises(ValidationError):
        made(**settings)


def test_the_plugin_brings_nebula_explorer() -> None:
    """By the same hook that everybody else's plugins use."""
    assert list(register_providers()) == [NebulaExplorer]
