"""AOM's provider against its simulator."""

import json
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
from plugins.aom import MISSING_ID, Aom, register_providers
from plugins.aom.script import ExecutionScript, HostRun, NodeScript
from plugins.aom.simulator import Simulator
from tests.plugins.fixtures import ref

pytestmark = pytest.mark.anyio

RECORDED = Path(__file__).parent / "data"
WORKFLOW = "4f1d7c0e92ab46d8b35e60c1a7f8d294"
EXECUTION = "0b6e4d92-1c35-47fa-92d8-5af310c7e684"
ID = f"{WORKFLOW}/{EXECUTION}"
PROJECT = "0123456789abcdef0123456789abcdef"
KEYS = {"project_id": PROJECT, "access_key": "AK", "secret_key": "made-up"}
REF = ref(ID)


def build_provider(**settings: str) -> Aom:
    """Return a provider that is not connected."""
    fields = {"region": "cn-north-4", **KEYS, **settings}
    return Aom("workflows", Aom.Settings(**fields), ManualClock())  # type: ignore[arg-type]


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


# Executions


async def test_execution_takes_one_call(aom: Provider[Any], simulator: Simulator) -> None:
    """The path has the workflow's id and the execution's."""
    simulator.add(ExecutionScript(WORKFLOW, EXECUTION))
    await aom.fetch_job(REF)
    (call,) = simulator.calls
    assert call.path.endswith(f"/cms/workflow/{WORKFLOW}/executions/{EXECUTION}/status")


async def test_workflow_id_means_its_newest_execution(
    aom: Provider[Any], simulator: Simulator
) -> None:
    """The job shows the execution's id and who started it."""
    for name, ago in (("one", 300), ("two", 100), ("three", 200)):
        execution = ExecutionScript(WORKFLOW, name, created_by=name, began_seconds_ago=ago)
        simulator.add(execution)
    job = await aom.fetch_job(ref(WORKFLOW))
    assert job.ref.id == WORKFLOW
    assert [(d.label, d.value) for d in job.details] == [
        ("Execution", "two"),
        ("Started by", "two"),
    ]


async def test_workflow_without_executions_is_not_found(
    aom: Provider[Any], simulator: Simulator
) -> None:
    """An empty history holds no execution."""
    simulator.faults.plan(Fault(200, "[]"))
    with pytest.raises(JobNotFound, match="no execution of this workflow"):
        await aom.fetch_job(ref(WORKFLOW))


async def test_missing_workflow_is_not_found(aom: Provider[Any]) -> None:
    """AOM's error has another shape than for executions."""
    with pytest.raises(JobNotFound, match="no such workflow"):
        await aom.fetch_job(ref(WORKFLOW))


@pytest.mark.parametrize("body", ["null", "{}", "[{}]", '[{"a": 1}]', "[[]]", "<html>"])
async def test_history_of_another_shape_is_not_understood(
    aom: Provider[Any], simulator: Simulator, body: str
) -> None:
    """It must be a bare array of executions."""
    simulator.faults.plan(Fault(200, body))
    with pytest.raises(AnswerNotUnderstood):
        await aom.fetch_job(ref(WORKFLOW))


async def test_times_in_seconds_are_recognised(
    aom: Provider[Any], simulator: Simulator, clock: ManualClock
) -> None:
    """One of AOM's pages shows seconds."""
    simulator.add(ExecutionScript(WORKFLOW, EXECUTION, (NodeScript("a"),)))
    await aom.fetch_job(REF)
    await clock.advance(60)
    in_milliseconds = await aom.fetch_job(REF)
    simulator.in_seconds = True
    assert await aom.fetch_job(REF) == in_milliseconds


@pytest.mark.parametrize(
    "id_", ["a/b/c", "/b", "a/", "../b", "a/..", "a b/c", "a/b\nc", "a\\b/c", "a\x85/b"]
)
async def test_unsafe_id_is_rejected_without_a_call(
    aom: Provider[Any], simulator: Simulator, id_: str
) -> None:
    """It is the user's mistake."""
    with pytest.raises(BadReference):
        await aom.fetch_job(ref(id_))
    assert not simulator.calls


async def test_unusual_id_is_sent_unchanged(aom: Provider[Any], simulator: Simulator) -> None:
    """It is encoded as it is signed."""
    simulator.add(ExecutionScript("a,b?c", "#%2F漢"))
    assert await aom.fetch_job(ref("a,b?c/#%2F漢"))


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        (ID, True),
        (WORKFLOW, True),
        ("feature/shop-1234", False),
        ("24/7-on-call-rota", False),
        ("release-2026-11-22", False),
        ("JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e", False),
        (f"{ID}/status", False),
    ],
)
def test_bare_id_must_have_the_id_format(text: str, fits: object) -> None:
    """Words and ServiceStage's job ids are not taken for workflows."""
    assert bool(Aom.id_format.pattern.fullmatch(text)) is fits


# Recent executions


async def test_recent_executions_have_workflow_names(
    aom: Provider[Any], simulator: Simulator
) -> None:
    """One call fetches as many as requested."""
    simulator.faults.plan(Fault(200, recorded("listing")))
    (job,) = await aom.recent_jobs(10)  # type: ignore[attr-defined]
    assert (job.name, job.ref.connection) == ("rotate-logs", "acme")
    assert json.loads(simulator.calls[0].body) == {
        "sort_field": "last_execution_start_time",
        "sort_type": "DESC",
        "page": 0,
        "size": 10,
    }


async def test_recent_executions_are_newest_first_and_limited(
    aom: Provider[Any], simulator: Simulator
) -> None:
    """Each workflow has its newest execution only."""
    for name, ago in (("one", 300), ("two", 100), ("three", 200)):
        simulator.add(ExecutionScript(name, name, workflow_name=name, began_seconds_ago=ago))
    jobs = await aom.recent_jobs(2)  # type: ignore[attr-defined]
    assert [job.name for job in jobs] == ["two", "three"]


async def test_recent_execution_can_be_fetched(aom: Provider[Any], simulator: Simulator) -> None:
    """Its reference is the execution's, not the workflow's."""
    simulator.add(ExecutionScript(WORKFLOW, EXECUTION, began_seconds_ago=60))
    (job,) = await aom.recent_jobs(5)  # type: ignore[attr-defined]
    seen = await aom.fetch_job(job.ref)
    assert (seen.ref.id, seen.status) == (ID, job.status)


@pytest.mark.parametrize("body", ["[]", "{}", '{"elements": 7}', "null"])
async def test_list_of_another_shape_is_not_understood(
    aom: Provider[Any], simulator: Simulator, body: str
) -> None:
    """It must be an object with `elements`."""
    simulator.faults.plan(Fault(200, body))
    with pytest.raises(AnswerNotUnderstood):
        await aom.recent_jobs(5)  # type: ignore[attr-defined]


# Errors


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, {"error_code": "APIGW.0101"}), (404, "<html>"), (410, ""), (410, {"code": "AOM.1"})],
)
async def test_removed_api_error_mentions_the_shutdown(
    aom: Provider[Any], simulator: Simulator, status: int, body: Any
) -> None:
    """Huawei Cloud removes this part of AOM, so the cause may be no typo."""
    simulator.faults.plan(Fault(status, body))
    with pytest.raises(AnswerNotUnderstood, match="announced that AOM's automation goes offline"):
        await aom.fetch_job(REF)


async def test_check_fetches_a_missing_execution(aom: Provider[Any], simulator: Simulator) -> None:
    """ "Not found" proves address and credentials right."""
    assert "accepts the credentials" in await aom.check()
    assert MISSING_ID in simulator.calls[0].path


# Texts and pages

BASE = f"https://aom.cn-north-4.myhuaweicloud.com/v1/{PROJECT}/cms/workflow"


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        (f"see {BASE}/{WORKFLOW}/executions/{EXECUTION}/status.", [ID]),
        (f"<{BASE}/{WORKFLOW}/executions/{EXECUTION}|this one>", [ID]),
        (f"{BASE}/{WORKFLOW}/executions/{EXECUTION}/terminate", [ID]),
        (f"{BASE}/{WORKFLOW}/executions, please", [WORKFLOW]),
        (f"{BASE}/short/executions/1/status", ["short/1"]),
        (f"{BASE.replace('aom.cn', 'AOM.CN')}/{WORKFLOW}/executions/{EXECUTION}", [ID]),
        (f"{BASE}-list", []),
        (f"{BASE.replace(PROJECT, 'f' * 32)}/{WORKFLOW}/executions/{EXECUTION}/status", []),
        (f"{BASE.replace('north', 'east')}/{WORKFLOW}/executions/{EXECUTION}/status", []),
    ],
)
def test_api_url_is_recognised_for_own_host_and_project(text: str, ids: list[str]) -> None:
    """Two connections must not claim the same execution; ids of any length match."""
    assert list(build_provider().find_ids(text)) == ids


def test_console_url_is_recognised_by_its_template() -> None:
    """Users paste such URLs."""
    provider = build_provider(console_url="https://console.example.com/#/executions/{id}/view")
    text = f"<https://console.example.com/#/executions/{ID}/view|this one>"
    assert list(provider.find_ids(text)) == [ID]


def test_console_page_follows_the_template() -> None:
    """AOM's own URL of an execution is undocumented, so it can be set."""
    provider = build_provider(console_url="https://console.example.com/executions/{id}")
    assert provider.console_url(_job()) == f"https://console.example.com/executions/{ID}"


def test_console_page_defaults_to_the_service() -> None:
    """The job's own page is unknown."""
    page = "https://console.huaweicloud.com/aom2/?region=cn-north-4"
    assert build_provider().console_url(_job()) == page


def test_plugin_registers_aom() -> None:
    """It uses the same hook as third-party plugins."""
    assert list(register_providers()) == [Aom]


async def test_failing_host_is_named_in_the_message(
    aom: Provider[Any], simulator: Simulator, clock: ManualClock
) -> None:
    """Checked over HTTP from the first poll to the last."""
    node = NodeScript("run", (HostRun("web-1", 5, 3, "no such file"), HostRun("web-2", 5)))
    simulator.add(ExecutionScript(WORKFLOW, EXECUTION, (node,)))
    await aom.fetch_job(REF)
    await clock.advance(60)
    job = await aom.fetch_job(REF)
    assert job.status is Status.PARTIAL
    assert job.message.splitlines()[:2] == [
        "Failed on 1: web-1 (exit code 3)",
        "Succeeded on 1: web-2 (exit code 0)",
    ]


def _job() -> Job:
    return Job(ref=REF, name="x", status=Status.RUNNING)
