"""Translates AOM's executions into jobs. Pure.

Source: Huawei Cloud's pages "Obtaining the Execution Details of a Workflow" and "Querying the
Execution History of a Task"; the statuses are those of `WorkflowQueryParam.status` of the official
SDK, because the pages list none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import AliasChoices, Field

from bot.sdk import (
    Detail,
    Job,
    JobRef,
    OneOrMany,
    OptionalText,
    Status,
    Task,
    Timestamp,
    failure_message,
)
from plugins.aom import node_output
from plugins.huaweicloud.payload import CaseInsensitiveModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

STATUSES = {
    "waitExecute": Status.QUEUED,
    "waitApproval": Status.WAITING,
    "executing": Status.RUNNING,
    "pausing": Status.WAITING,  # at a pause node or a failed node: a person must act
    "canceling": Status.RUNNING,
    "success": Status.SUCCEEDED,
    "fail": Status.FAILED,
    "cancel": Status.CANCELLED,
    "approvalFailed": Status.FAILED,
}


class NodePayload(CaseInsensitiveModel):
    """One of `execution_result_list`: a node that has started."""

    node_id: OptionalText = ""
    status: OptionalText = ""
    begin_time: Timestamp = None
    end_time: Timestamp = None
    output: Any = None


class Execution(CaseInsensitiveModel):
    """An execution of a workflow, or an item of the history, which also names its creator."""

    status: str
    workflow_id: OptionalText = ""
    execution_id: OptionalText = ""
    begin_time: Timestamp = None
    end_time: Timestamp = None
    created_by: OptionalText = Field(
        default="", validation_alias=AliasChoices("created_by", "create_by")
    )
    execution_result_list: OneOrMany[NodePayload] = ()
    approve_user_name_list: OneOrMany[OptionalText] = ()


def translate(ref: JobRef, payload: Execution) -> Job:
    """Return the job of an execution."""
    tasks = tuple(_tasks(payload))
    status = status_of(payload)
    began = min((task.started_at for task in tasks if task.started_at), default=payload.begin_time)
    return Job(
        ref=ref,
        name=f"workflow {(payload.workflow_id or ref.id)[:8]}",
        status=status,
        native_status=payload.status,
        created_at=payload.begin_time,
        started_at=None if status is Status.QUEUED else began,
        finished_at=payload.end_time if status.terminal else None,
        tasks=tasks,
        message=_message(payload, status, tasks),
        details=tuple(_details(ref, payload)),
    )


def status_of(payload: Execution) -> Status:
    """Return the status; PARTIAL if a node failed on some of its hosts and succeeded on others."""
    if payload.status == "fail":
        nodes = [node_output.parse_output(node.output) for node in payload.execution_result_list]
        if any(node.fail and node.success for node in nodes):
            return Status.PARTIAL
    return STATUSES.get(payload.status, Status.UNKNOWN)


def _tasks(payload: Execution) -> Iterator[Task]:
    """Return the nodes in the order of their start; a node may have run several times."""
    seen: dict[str, int] = {}
    nodes = enumerate(payload.execution_result_list)
    for number, node in sorted(nodes, key=lambda pair: _sort_key(*pair)):
        name = node.node_id or f"Node {number + 1}"
        seen[name] = count = seen.get(name, 0) + 1
        yield _task(node, name, f"{name}#{count}" if count > 1 else name)


def _sort_key(number: int, node: NodePayload) -> tuple[bool, float, int]:
    begun = node.begin_time
    return begun is None, begun.timestamp() if begun else 0.0, number


def _task(node: NodePayload, name: str, id_: str) -> Task:
    status = STATUSES.get(node.status, Status.UNKNOWN)
    if status is Status.SUCCEEDED and node_output.parse_output(node.output).fail:
        status = Status.FAILED  # "success" only means that the node ran
    return Task(
        id=id_,
        name=name,
        status=status,
        native_status=node.status,
        started_at=node.begin_time,
        finished_at=node.end_time if status.terminal else None,
        message=node_output.render_output(node.output),
    )


def _message(payload: Execution, status: Status, tasks: Iterable[Task]) -> str:
    """Return who must act, or why the execution failed."""
    approvers = " or ".join(payload.approve_user_name_list)
    if payload.status == "waitApproval":
        return f"Waits for approval by {approvers or 'somebody whom AOM does not name'}."
    if payload.status == "pausing":
        who = approvers or "somebody"
        return f"Paused: {who} must restart, skip or continue it in AOM's console."
    if payload.status == "approvalFailed":
        return f"Not approved{f' by {approvers}' if approvers else ''}."
    return failure_message(tasks) if status.failed else ""


def _details(ref: JobRef, payload: Execution) -> Iterator[Detail]:
    if payload.execution_id and "/" not in ref.id:
        yield Detail(label="Execution", value=payload.execution_id)
    if payload.approve_user_name_list:
        yield Detail(label="Approvers", value=", ".join(payload.approve_user_name_list))
    if payload.created_by:
        yield Detail(label="Started by", value=payload.created_by)
