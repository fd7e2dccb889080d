"""Script of a simulated execution: computes the API response at a given time. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

QUEUED_SECONDS = 3.0
TERMINAL_STATUSES = ("success", "fail", "cancel", "approvalFailed")


@dataclass(frozen=True)
class HostRun:
    """The result of one host of a node; hosts start one second apart."""

    name: str
    seconds: float = 8.0
    exit_code: int = 0
    log: str = ""


@dataclass(frozen=True)
class NodeScript:
    """A node: ends with its hosts, or after its own seconds if it has none."""

    id: str
    hosts: tuple[HostRun, ...] = ()
    seconds: float = 6.0
    pauses: bool = False  # and is never resumed

    @property
    def duration_seconds(self) -> float:
        """How many seconds it takes."""
        ends = (n + host.seconds for n, host in enumerate(self.hosts))
        return max(ends, default=self.seconds)

    @property
    def fails(self) -> bool:
        """Whether one of its hosts fails."""
        return any(host.exit_code for host in self.hosts)


@dataclass(frozen=True)
class ExecutionScript:
    """An execution: nodes in sequence, until a host of one fails."""

    workflow_id: str
    id: str
    nodes: tuple[NodeScript, ...] = ()
    workflow_name: str = "example"
    approvers: tuple[str, ...] = ()
    approval_seconds: float = 0.0  # until one of them approves
    created_by: str = "example-bot"
    began_seconds_ago: float = 0.0  # before the first request


def status_at(script: ExecutionScript, at: float) -> str:
    """Return the execution's status so many seconds after its creation."""
    if at < QUEUED_SECONDS:
        return "waitExecute"
    if script.approvers and at < QUEUED_SECONDS + script.approval_seconds:
        return "waitApproval"
    for node, start in _starts(script):
        if node.pauses and at >= start:
            return "pausing"
        if at < start + node.duration_seconds:
            return "executing"
        if node.fails:
            return "fail"
    return "success"


def _starts(script: ExecutionScript) -> list[tuple[NodeScript, float]]:
    """Return the nodes with the second in which each starts."""
    second = QUEUED_SECONDS + script.approval_seconds
    starts = []
    for node in script.nodes:
        starts.append((node, second))
        if node.fails or node.pauses:
            break
        second += node.duration_seconds
    return starts


def end_seconds(script: ExecutionScript) -> float:
    """Return the second in which the execution ends."""
    starts = _starts(script)
    return starts[-1][1] + starts[-1][0].duration_seconds if starts else QUEUED_SECONDS


def payload(
    script: ExecutionScript, began: datetime, now: datetime, forced: str | None = None
) -> dict[str, Any]:
    """Return the API response at a given time; `forced` is a status set by a test."""
    at = (now - began).total_seconds()
    status = forced or status_at(script, at)
    finished = min(at, end_seconds(script)) if status in TERMINAL_STATUSES else None
    return {
        "workflow_id": script.workflow_id,
        "execution_id": script.id,
        "status": status,
        "begin_time": milliseconds(began, 0),
        "end_time": milliseconds(began, finished) if finished is not None else 0,
        "approve_user_name_list": list(script.approvers),
        "execution_result_list": _nodes(script, began, at, forced=forced),
        "last_record_id_with_snapshot": "",
    }


def milliseconds(began: datetime, seconds: float) -> int:
    """Return a time in milliseconds since 1970."""
    return round((began + timedelta(seconds=seconds)).timestamp() * 1000)


def _nodes(
    script: ExecutionScript, began: datetime, at: float, *, forced: str | None
) -> list[dict[str, Any]]:
    if forced is not None:
        return [_node(node, began, 0.0, at, forced_status=forced) for node in script.nodes]
    begun = [(node, start) for node, start in _starts(script) if at >= start]
    return [_node(node, began, start, at, forced_status=None) for node, start in begun]


def _node(
    node: NodeScript, began: datetime, start: float, at: float, *, forced_status: str | None
) -> dict[str, Any]:
    node_ended = at >= start + node.duration_seconds and not node.pauses
    # As in the real API, a node that ran is a "success" even if its hosts failed.
    word = "pausing" if node.pauses else "success" if node_ended else "executing"
    ended = node_ended if forced_status is None else forced_status in TERMINAL_STATUSES
    return {
        "node_id": node.id,
        "function_execution_id": f"function-{node.id}",
        "begin_time": milliseconds(began, start),
        "end_time": milliseconds(began, min(at, start + node.duration_seconds)) if ended else 0,
        "status": forced_status or word,
        "output": _output(node, began, start, at) if node.hosts else {},
    }


def _output(node: NodeScript, began: datetime, start: float, at: float) -> dict[str, Any]:
    rows: dict[str, list[Any]] = {
        "fail": [],
        "in_execution": [],
        "not_performed": [],
        "success": [],
    }
    for number, host in enumerate(node.hosts):
        since = start + number
        kind = _kind(host, at - since)
        rows[kind].append(
            _row(host, number, milliseconds(began, since), ended=kind in ("fail", "success"))
        )
    return rows


def _kind(host: HostRun, age: float) -> str:
    if age < 0:
        return "not_performed"
    if age < host.seconds:
        return "in_execution"
    return "fail" if host.exit_code else "success"


def _row(host: HostRun, number: int, start: int, *, ended: bool) -> dict[str, Any]:
    address = f"192.0.2.{number + 1}"
    fixed = {
        "id": f"host-{host.name}",
        "name": host.name,
        "ip": address,
        "fixed_ip_list": [address],
        "os_type": "Linux",
        "agent_state": "ONLINE",
        "instance_status": "ACTIVE",
    }
    if not ended:
        return fixed
    return fixed | {
        "code": "0",
        "error_msg": "",
        "exit_code": str(host.exit_code),
        "execute_time": str(round(host.seconds * 1000)),
        "start_time": str(start),
        "log": host.log,
    }
