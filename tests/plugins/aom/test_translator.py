"""From AOM's answers, as they are recorded, to our words."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.models import Job, JobRef, Status
from plugins.aom.results import told
from plugins.aom.translator import Execution, translate
from plugins.aom.workflows import History, Listing, newest

RECORDED = Path(__file__).parent / "data"
REF = JobRef(connection="workflows", id="w/e")


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


def job(answer: Any, ref: JobRef = REF) -> Job:
    return translate(ref, Execution.model_validate(answer))


def of_nodes(*nodes: Any, status: str = "executing") -> Job:
    return job({"status": status, "execution_result_list": list(nodes)})


def test_the_example_of_the_page_is_understood() -> None:
    """Times are milliseconds; its only host failed."""
    seen = job(recorded("failed"))
    assert (seen.status, seen.native_status) == (Status.FAILED, "fail")
    assert seen.started_at == datetime(2022, 12, 6, 7, 19, 8, 207000, tzinfo=UTC)
    assert seen.finished_at == datetime(2022, 12, 6, 7, 19, 11, 857000, tzinfo=UTC)
    assert [task.name for task in seen.tasks] == ["run-script"]


def test_a_node_whose_hosts_failed_has_failed_although_aom_says_success() -> None:
    """AOM's word says that the node ran; it is kept."""
    (task,) = job(recorded("failed")).tasks
    assert (task.status, task.native_status) == (Status.FAILED, "success")


def test_a_failed_node_says_which_host_failed_how() -> None:
    """With the end of its log; the execution says the same."""
    seen = job(recorded("failed"))
    assert seen.tasks[0].message.startswith("Failed on 1: xxxx (exit code 1)\n")
    assert seen.tasks[0].message.endswith("line 1: cd: /xxx/xxx: Not a directory")
    assert seen.message == seen.tasks[0].message


def test_a_failure_on_some_hosts_is_a_success_in_part() -> None:
    """The node failed; its workflow did part of what it should."""
    seen = job(recorded("partial"))
    assert (seen.status, seen.native_status) == (Status.PARTIAL, "fail")
    assert seen.tasks[1].status is Status.FAILED


def test_success_at_an_earlier_node_makes_no_success_in_part() -> None:
    """What failed, failed on all of its hosts."""
    good = {"node_id": "a", "status": "success", "output": {"success": [{"name": "web-1"}]}}
    bad = {"node_id": "b", "status": "success", "output": {"fail": [{"name": "web-1"}]}}
    assert of_nodes(good, bad, status="fail").status is Status.FAILED


def test_nodes_are_shown_in_the_order_in_which_they_began() -> None:
    """The API promises no order."""
    assert [task.name for task in job(recorded("partial")).tasks] == ["stop-writes", "backup"]


def test_a_node_says_on_which_hosts_it_runs_and_waits() -> None:
    """And on which it is done."""
    (task,) = job(recorded("running")).tasks
    assert task.message.splitlines() == [
        "Succeeded on 1: web-1 (exit code 0)",
        "Running on 1: web-2",
        "Waiting on 2: web-3, web-4",
        "web-1 (exit code 0):",
        "web-1: done",
    ]


def test_an_execution_that_goes_on_has_no_end() -> None:
    """An end of 0 is none."""
    assert job(recorded("running")).finished_at is None
    assert job(recorded("running")).tasks[0].finished_at is None


def test_an_execution_that_waits_for_approval_names_the_approvers() -> None:
    """They are who must act."""
    seen = job(recorded("waits_for_approval"))
    assert seen.status is Status.WAITING
    assert seen.message == "Waits for approval by alice or bob."
    assert [(d.label, d.value) for d in seen.details] == [("Approvers", "alice, bob")]


def test_an_execution_that_is_paused_says_who_must_go_on() -> None:
    """AOM's word says "pausing"; a person must act."""
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
def test_nobody_is_named_where_aom_names_nobody(status: str, message: str) -> None:
    """The sentence is whole all the same."""
    assert job({"status": status}).message == message


def test_workloads_are_named_by_their_app() -> None:
    """Nodes also run on workloads of a cluster."""
    (task,) = job(recorded("workloads")).tasks
    assert task.message == "Succeeded on 1: shop-api\nshop-api:\nscaled to 3"


def test_an_execution_is_called_by_the_start_of_its_workflows_id() -> None:
    """This call tells no name."""
    assert job(recorded("partial")).name == "workflow 8c27e5b1"


def test_a_node_that_ran_twice_is_two_tasks() -> None:
    """Restarted nodes are not lost."""
    node = {"node_id": "a", "status": "success"}
    assert [task.id for task in of_nodes(node, node).tasks] == ["a", "a#2"]


def test_a_node_without_an_id_is_numbered() -> None:
    """Nothing is shown as an empty line."""
    assert of_nodes({"status": "success"}).tasks[0].name == "Node 1"


def test_a_new_word_of_a_node_is_no_error() -> None:
    """The words of nodes are not documented."""
    (task,) = of_nodes({"node_id": "a", "status": "skipped"}).tasks
    assert (task.status, task.native_status) == (Status.UNKNOWN, "skipped")


def test_the_newest_execution_is_that_which_began_last() -> None:
    """The history promises no order."""
    seen = newest(History.model_validate(recorded("history")))
    assert seen is not None
    assert (seen.execution_id, seen.created_by) == ("newest", "bob")


def test_an_execution_that_has_not_begun_is_newer_than_all_that_have() -> None:
    """It was just asked for."""
    waiting = {"status": "waitExecute", "execution_id": "waiting", "begin_time": 0}
    strange = {"status": "cancel", "execution_id": "strange"}
    seen = newest(History.model_validate([*recorded("history"), waiting, strange]))
    assert seen is not None
    assert seen.execution_id == "waiting"


def test_a_workflow_of_the_list_is_its_newest_execution() -> None:
    """With the workflow's name; one that never ran is none."""
    (ran,) = Listing.model_validate(recorded("listing")).jobs("workflows")
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
def test_an_output_of_any_shape_is_told(output: Any, text: str | None) -> None:
    """Each template has its own; lists of hosts are told as such."""
    assert told(output) == text if text is not None else told(output).startswith("Failed on ")


def test_many_hosts_are_cut() -> None:
    """Ten are named, three logs are shown."""
    rows = [{"name": f"web-{n}", "log": "no"} for n in range(200)]
    lines = told({"fail": rows}).splitlines()
    assert lines[0].endswith("web-9 and 190 more")
    assert len(lines) == 1 + 3 * 2


def test_of_a_long_log_the_end_is_kept() -> None:
    """That is where it says what went wrong."""
    log = "\n".join(f"line {n}" for n in range(1000))
    text = told({"fail": [{"name": "web-1", "log": log}]})
    assert text.endswith("line 999")
    assert len(text) < 1000


@pytest.mark.parametrize("answer", [{}, {"status": None}, {"status": 7}, {"jobs": []}, [], None])
def test_an_answer_without_a_status_is_not_understood(answer: Any) -> None:
    """Another shape is an error, not an empty execution."""
    with pytest.raises(ValidationError):
        Execution.model_validate(answer)
