"""Huawei Cloud's official SDKs read the same jobs as the bot, with the same calls."""

import json
from datetime import datetime
from typing import Any

import pytest

from bot.sdk.models import Status
from plugins.aom.samples import SAMPLES as AOM_SAMPLES
from plugins.aom.script import ExecutionScript, HostRun, NodeScript
from plugins.cph.script import FAILURE, PhoneJob, RequestScript, job_id
from plugins.cph.translator import STATUS_NAMES
from plugins.servicestage.script import JobScript, JobStep

pytestmark = [
    pytest.mark.official_sdks,
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning"),
]

AGO = 3_600  # seconds; all jobs ended long ago, so real time does not matter
REQUEST = "6837531fd3f54550927b930180a706bf"
WORKFLOW = "4f1d7c0e92ab46d8b35e60c1a7f8d294"
JOB = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"

PHONES = (
    PhoneJob("a", output="done"),
    PhoneJob("b", 9, FAILURE, "CPS.0005", "Phone not found."),
    PhoneJob("", 9),
)


async def test_cph_tasks_are_the_same(sdk: Any, cph: Any) -> None:
    """Phones, statuses, errors, output and times."""
    cph.simulator.add(RequestScript(REQUEST, PHONES, AGO))
    theirs = await cph.sdk(
        "list_jobs", sdk.cph.ListJobsRequest(request_id=REQUEST, limit=100, offset=0)
    )
    ours = await cph.bot(REQUEST)
    tasks = {task.id: task for task in ours.tasks}
    assert tasks.keys() == {job.job_id for job in theirs.jobs}
    for job in theirs.jobs:
        task = tasks[job.job_id]
        assert task.name == (job.phone_id or job.server_id)
        assert task.native_status == STATUS_NAMES[str(job.status)]
        assert job.error_msg in task.message
        assert job.execute_msg in task.message
        assert (_iso(task.started_at), _iso(task.finished_at)) == (job.begin_time, job.end_time)
    assert ours.status is Status.PARTIAL


async def test_cph_250_phones_are_the_same(sdk: Any, cph: Any) -> None:
    """Both make the same three calls, byte for byte."""
    jobs = tuple(PhoneJob(f"phone-{n}") for n in range(250))
    cph.simulator.add(RequestScript(REQUEST, jobs, AGO))
    theirs = [
        job.job_id
        for offset in (0, 100, 200)
        for job in (
            await cph.sdk(
                "list_jobs",
                sdk.cph.ListJobsRequest(request_id=REQUEST, limit=100, offset=offset),
            )
        ).jobs
    ]
    assert {task.id for task in (await cph.bot(REQUEST)).tasks} == set(theirs)
    assert cph.paths[:3] == cph.paths[3:]


async def test_cph_single_job_is_the_same(sdk: Any, cph: Any) -> None:
    """Both make the same call."""
    cph.simulator.add(RequestScript(REQUEST, PHONES, AGO))
    id_ = job_id(REQUEST, 1)
    theirs = await cph.sdk("show_job", sdk.cph.ShowJobRequest(job_id=id_))
    (task,) = (await cph.bot(f"jobs/{id_}")).tasks
    assert (task.id, task.name) == (theirs.job_id, theirs.phone_id)
    assert cph.paths[0] == cph.paths[1]


NODES = (
    NodeScript("drain"),
    NodeScript("run", (HostRun("web-1", log="ok"), HostRun("web-2", 5, 1, "no such file"))),
)


async def test_aom_nodes_are_the_same(sdk: Any, aom: Any) -> None:
    """Statuses, times, and the output of hosts; both make the same call."""
    aom.simulator.add(ExecutionScript(WORKFLOW, "e", NODES, began_seconds_ago=AGO))
    theirs = await aom.sdk(
        "search_workflow_execution_detail",
        sdk.aom.SearchWorkflowExecutionDetailRequest(WORKFLOW, "e"),
    )
    ours = await aom.bot(f"{WORKFLOW}/e")
    assert (ours.native_status, _ms(ours.finished_at)) == (theirs.status, theirs.end_time)
    assert [(t.name, t.native_status, _ms(t.started_at)) for t in ours.tasks] == [
        (node.node_id, node.status, node.begin_time) for node in theirs.execution_result_list
    ]
    failed = theirs.execution_result_list[1].output["fail"]
    assert all(host["log"] in ours.tasks[1].message for host in failed)
    assert aom.paths[0] == aom.paths[1]


async def test_aom_newest_execution_is_the_same(sdk: Any, aom: Any) -> None:
    """The SDK reads the bare array, too."""
    for name, ago in (("one", 2 * AGO), ("two", AGO)):
        aom.simulator.add(ExecutionScript(WORKFLOW, name, NODES, began_seconds_ago=ago))
    theirs = await aom.sdk(
        "list_workflow_executions", sdk.aom.ListWorkflowExecutionsRequest(workflow_id=WORKFLOW)
    )
    newest = max(theirs.body, key=lambda brief: int(brief.begin_time))
    ours = await aom.bot(WORKFLOW)
    assert newest.execution_id in [detail.value for detail in ours.details]
    assert _ms(ours.created_at) == newest.begin_time


async def test_aom_recent_executions_are_the_same(sdk: Any, aom: Any) -> None:
    """Workflows, their names and newest executions; both send the same request."""
    for sample in AOM_SAMPLES:
        aom.simulator.add(sample.execution)
    query = sdk.aom.WorkflowQueryParam(
        page=0, size=10, sort_field="last_execution_start_time", sort_type="DESC"
    )
    theirs = await aom.sdk("list_workflow", sdk.aom.ListWorkflowRequest(body=query))
    ours = await aom.recent()
    assert [(job.name, job.native_status, job.ref.id) for job in ours] == [
        (each.name, each.status, f"{each.id}/{each.last_execution_id}") for each in theirs.elements
    ]
    first, second = (json.loads(call.body) for call in aom.simulator.calls)
    assert first == second


async def test_servicestage_tasks_are_the_same(sdk: Any, servicestage: Any) -> None:
    """Statuses, names and messages."""
    steps = (JobStep("A"), JobStep("B", 5, "FAILED", "No space left."), JobStep("C"))
    servicestage.simulator.add(JobScript(JOB, steps, began_seconds_ago=AGO))
    theirs = await servicestage.sdk(
        "show_job_info", sdk.servicestage.ShowJobInfoRequest(job_id=JOB, limit=50, offset=0)
    )
    ours = await servicestage.bot(JOB)
    assert (ours.native_status, ours.type) == (theirs.job.execution_status, theirs.job.job_type)
    assert [(task.id, task.name, task.native_status) for task in ours.tasks] == [
        (task.task_id, task.task_name, task.task_status) for task in theirs.tasks
    ]
    assert ours.message == json.loads(theirs.tasks[1].messages)["message"]


def _iso(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else ""


def _ms(moment: datetime | None) -> int:
    return round(moment.timestamp() * 1000) if moment else 0
