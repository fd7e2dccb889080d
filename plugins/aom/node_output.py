"""Parses a node's free-form `output` and renders it: host results and log excerpts. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator

from bot.sdk import OptionalText
from plugins.huaweicloud.payload import CaseInsensitiveModel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_NAMES = 10  # host names in one line
MAX_LOGS = 3
MAX_LOG_LINES = 12  # per host
MAX_LOG_CHARACTERS = 700


def _rows(value: Any) -> list[Any]:
    """Return the rows of a list; a plain name becomes a row."""
    rows = value if isinstance(value, list) else []
    return [row if isinstance(row, dict) else {"name": row} for row in rows]


class Host(CaseInsensitiveModel):
    """A host, or a workload of a cluster, on which a node ran."""

    name: OptionalText = ""
    app: OptionalText = ""
    ip: OptionalText = ""
    id: OptionalText = ""
    exit_code: OptionalText = ""
    error_msg: OptionalText = ""
    log: OptionalText = ""

    def __str__(self) -> str:
        label = self.name or self.app or self.ip or self.id or "a host without a name"
        return f"{label} (exit code {self.exit_code})" if self.exit_code else label


Hosts = Annotated[tuple[Host, ...], BeforeValidator(_rows)]


class NodeOutput(CaseInsensitiveModel):
    """A node's hosts, by result."""

    fail: Hosts = ()
    success: Hosts = ()
    in_execution: Hosts = ()
    not_performed: Hosts = ()

    @property
    def has_hosts(self) -> bool:
        """Whether any host is listed."""
        return bool(self.fail or self.success or self.in_execution or self.not_performed)


def parse_output(output: Any) -> NodeOutput:
    """Return the hosts in an output; none if the output has another shape."""
    return NodeOutput.model_validate(output if isinstance(output, dict) else {})


def render_output(output: Any) -> str:
    """Return the hosts, one result per line, and the ends of the relevant logs."""
    results = parse_output(output)
    if not results.has_hosts:
        return _plain(output)
    return "\n".join([*_lines(results), *_logs(results.fail or results.success)])


def _lines(results: NodeOutput) -> Iterator[str]:
    kinds = (
        ("Failed", results.fail),
        ("Succeeded", results.success),
        ("Running", results.in_execution),
        ("Waiting", results.not_performed),
    )
    for title, hosts in kinds:
        if hosts:
            more = f" and {len(hosts) - MAX_NAMES} more" if len(hosts) > MAX_NAMES else ""
            named = ", ".join(str(host) for host in hosts[:MAX_NAMES])
            yield f"{title} on {len(hosts)}: {named}{more}"


def _logs(hosts: Sequence[Host]) -> Iterator[str]:
    with_logs = [host for host in hosts if host.log.strip() or host.error_msg.strip()]
    for host in with_logs[:MAX_LOGS]:
        yield f"{host}:\n{_tail(host.log.strip() or host.error_msg.strip())}"


def _tail(log: str) -> str:
    """Return the end of a log, where the error is."""
    kept = "\n".join(log.splitlines()[-MAX_LOG_LINES:])[-MAX_LOG_CHARACTERS:]
    return kept if kept == log else f"…{kept}"


def _plain(output: Any) -> str:
    """Return an output of another shape as text; empty lists are left out."""
    if isinstance(output, dict):
        output = {key: value for key, value in output.items() if value not in (None, "", [], {})}
    if not output:
        return ""
    return _tail(output if isinstance(output, str) else json.dumps(output, ensure_ascii=False))
