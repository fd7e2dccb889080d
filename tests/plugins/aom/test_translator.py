"""Recorded AOM responses are translated into jobs."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.sdk.models import Job, JobRef, Status
from plugins.aom.node_output import render_output
from plugins.aom.translator import Execution, translate
from plugins.aom.workflows import History, WorkflowPage, newest_execution

RECORDED = Path(__file__).parent / "data"
REF = JobRef(connection="workflows", id="w/e")


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


def job(answer: Any, ref: JobRef = REF) -> Job:
    return translate(ref, Execution.model_validate(answer))


def of_nodes(*nodes: Any, status: str = "executing") -> Job:
    return job({"status": status, "execution_result_list": list(nodes)})


def test_documented_example_is_translated() -> None:
    """Times are milliseconds; its only host failed."""
    seen = job(recorded("failed"))
    assert (seen.status, seen.native_status) == (Status.FAILED, "fail")
    assert seen.started_at == datetime(2022, 12, 6, 7, 19, 8, 207000, tzinfo=UTC)
    assert seen.finished_at == datetime(2022, 12, 6, 7, 19, 11, 857000, tzinfo=UTC)
    assert [task.name for task in seen.tasks] == ["run-script"]


def test_node_with_failed_hosts_has_failed() -> None:
    """AOM's "success" only means that the node ran; the word is kept."""
    (task,) = job(recorded("failed")).tasks
    assert (task.status, task.native_status) == (Status.FAILED, "success")


def test_failed_node_message_names_the_failed_host() -> None:
    """It has the end of the host's log; the execution repeats it."""
    seen = job(recorded("failed"))
    assert seen.tasks[0].message.startswith("Failed on 1: xxxx (exit code 1)\n")
    assert seen.tasks[0].message.endswith("line 1: cd: /xxx/xxx: Not a directory")
    assert seen.message == seen.tasks[0].message


def test_failure_on_some_hosts_is_partial() -> None:
    """The node failed; its workflow partly succeeded."""
    seen = job(recorded("partial"))
    assert (seen.status, seen.native_status) == (Status.PARTIAL, "fail")
    assert seen.tasks[1].status is Status.FAILED


def test_earlier_success_does_not_make_it_partial() -> None:
    """The failed node failed on all of its hosts."""
    good = {"node_id": "a", "status": "success", "output": {"success": [{"name": "web-1"}]}}
    bad = {"node_id": "b", "status": "success", "output": {"fail": [{"name": "web-1"}]}}
    assert of_nodes(good, bad, status="fail").status is Status.FAILED


def test_nodes_are_ordered_by_start() -> None:
    """The API documents no order."""
    assert [task.name for task in job(recorded("partial")).tasks] == ["stop-writes", "backup"]


def test_node_message_lists_running_and_waiting_hosts() -> None:
    """It also lists the finished ones."""
    (task,) = job(recorded("running")).tasks
    assert task.message.splitlines() == [
        "Succeeded on 1: web-1 (exit code 0)",
        "Running on 1: web-2",
        "Waiting on 2: web-3, web-4",
        "web-1 (exit code 0):",
        "web-1: done",
    ]


def test_running_execution_has_no_end() -> None:
    """An end of 0 means none."""
    assert job(recorded("running")).finished_at is None
    assert job(recorded("running")).tasks[0].finished_at is None


def test_waiting_execution_names_the_approvers() -> None:
    """They must act."""
    seen = job(recorded("waits_for_approval"))
    assert seen.status is Status.WAITING
    assert seen.message == "Waits for approval by alice or bob."
    assert [(d.label, d.value) for d in seen.details] == [("Approvers", "alice, bob")]


def test_paused_execution_names_who_must_act() -> None:
    """AOM's "pausing" is WAITING."""
    seen = job(recorded("paused"))
    assert seen.status is Status.WAITING
    assert seen.message == "Paused: carol must restart, skip or continue it in AOM's console."


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("waitApproval", "Waits for approval by somebody whom AOM does not name."),
        ("pausing", "Paused: somebody must restart, skip or continue it in AOM's console."),
        ("approvalFailed", "Not approved."),
    ],
)
def test_message_is_complete_without_approvers(status: str, message: str) -> None:
    """AOM may not name any."""
    assert job({"status": status}).message == message


def test_workloads_are_named_by_their_app() -> None:
    """Nodes also run on workloads of a cluster."""
    (task,) = job(recorded("workloads")).tasks
    assert task.message == "Succeeded on 1: shop-api\nshop-api:\nscaled to 3"


def test_execution_is_named_by_its_workflow_id() -> None:
    """The call returns no name."""
    assert job(recorded("partial")).name == "workflow 8c27e5b1"


def test_node_that_ran_twice_is_two_tasks() -> None:
    """Restarted nodes are kept."""
    node = {"node_id": "a", "status": "success"}
    assert [task.id for task in of_nodes(node, node).tasks] == ["a", "a#2"]


def test_node_without_an_id_is_numbered() -> None:
    """No task has an empty name."""
    assert of_nodes({"status": "success"}).tasks[0].name == "Node 1"


def test_new_node_status_is_no_error() -> None:
    """The statuses of nodes are undocumented."""
    (task,) = of_nodes({"node_id": "a", "status": "skipped"}).tasks
    assert (task.status, task.native_status) == (Status.UNKNOWN, "skipped")


def test_newest_execution_started_last() -> None:
    """The history has no documented order."""
    seen = newest_execution(History.model_validate(recorded("history")))
    assert seen is not None
    assert (seen.execution_id, seen.created_by) == ("newest", "bob")


def test_execution_not_yet_started_is_the_newest() -> None:
    """It was just requested."""
    waiting = {"status": "waitExecute", "execution_id": "waiting", "begin_time": 0}
    strange = {"status": "cancel", "execution_id": "strange"}
    seen = newest_execution(History.model_validate([*recorded("history"), waiting, strange]))
    assert seen is not None
    assert seen.execution_id == "waiting"


def test_listed_workflow_is_its_newest_execution() -> None:
    """It has the workflow's name; a workflow that never ran is left out."""
    (ran,) = WorkflowPage.model_validate(recorded("listing")).jobs("workflows")
    assert (ran.name, ran.status, ran.type) == ("rotate-logs", Status.SUCCEEDED, "cron")
    assert ran.ref.id == ("90be3d5c7a1248f6a04d1ec95b7f8260/17cb1778-07b1-4c8f-a183-c86cffbe8f9e")


@pytest.mark.parametrize(
    ("output", "text"),
    [
        (None, ""),
        ({}, ""),
        ([], ""),
        ({"fail": [], "success": [], "in_execution": [], "not_performed": []}, ""),
        ("done", "done"),
        ({"result": "ok", "empty": None}, '{"result": "ok"}'),
        ({"fail": "all of them"}, '{"fail": "all of them"}'),
        ({"fail": ["web-1", {"ip": "192.0.2.1"}, {}]}, None),
        ({"fail": [{"name": None, "exit_code": 3, "log": None}]}, None),
    ],
)
def test_output_of_any_shape_is_rendered(output: Any, text: str | None) -> None:
    """Each template has its own; lists of hosts are rendered as such."""
    assert (
        render_output(output) == text
        if text is not None
        else render_output(output).startswith("Failed on ")
    )


def test_many_hosts_are_truncated() -> None:
    """Ten names and three logs are shown."""
    rows = [{"name": f"web-{n}", "log": "no"} for n in range(200)]
    lines = render_output({"fail": rows}).splitlines()
    assert lines[0].endswith("web-9 and 190 more")
    assert len(lines) == 1 + 3 * 2


def test_long_log_keeps_its_end() -> None:
    """The error is at the end."""
    log = "\n".join(f"line {n}" for n in range(1000))
    text = render_output({"fail": [{"name": "web-1", "log": log}]})
    assert text.endswith("line 999")
    assert len(text) < 1000


@pytest.mark.parametrize("answer", [{}, {"status": None}, {"status": 7}, {"jobs": []}, [], None])
def test_response_without_status_is_not_understood(answer: Any) -> None:
    """Another shape is an error, not an empty execution."""
    with pytest.raises(ValidationError):
        Execution.model_validate(answer)
