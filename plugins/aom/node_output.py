"""Parses a node's free-form `output` and renders it: host results and log excerpts. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator

from bot.sdk.payload import Word
from plugins.huaweicloud.payload import AnyCase

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_NAMES = 10  # host names in one line
MOST_LOGS = 3
LOG_LINES = 12  # per host
LOG_CHARACTERS = 700


def _rows(value: Any) -> list[Any]:
    """Return the rows of a list; a plain name becomes a row."""
    rows = value if isinstance(value, list) else []
    return [row if isinstance(row, dict) else {"name": row} for row in rows]


class Host(AnyCase):
    """A host, or a workload of a cluster, on which a node ran."""

    name: Word = ""
    app: Word = ""
    ip: Word = ""
    id: Word = ""
    exit_code: Word = ""
    error_msg: Word = ""
    log: Word = ""

    def __str__(self) -> str:
        label = self.name or self.app or self.ip or self.id or "a host without a name"
        return f"{label} (exit code {self.exit_code})" if self.exit_code else label


Hosts = Annotated[tuple[Host, ...], BeforeValidator(_rows)]


class Results(AnyCase):
    """A node's hosts, by result."""

    fail: Hosts = ()
    success: Hosts = ()
    in_execution: Hosts = ()
    not_performed: Hosts = ()

    @property
    def any(self) -> bool:
        """Whether any host is listed."""
        return bool(self.fail or self.success or self.in_execution or self.not_performed)


def read(output: Any) -> Results:
    """Return the hosts in an output; none if the output has another shape."""
    return Results.model_validate(output if isinstance(output, dict) else {})


def told(output: Any) -> str:
    """Return the hosts, one result per line, and the ends of the relevant logs."""
    results = read(output)
    if not results.any:
        return _plain(output)
    return "\n".join([*_lines(results), *_logs(results.fail or results.success)])


def _lines(results: Results) -> Iterator[str]:
    kinds = (
        ("Failed", results.fail),
        ("Succeeded", results.success),
        ("Running", results.in_execution),
        ("Waiting", results.not_performed),
    )
    for title, hosts in kinds:
        if hosts:
            more = f" and {len(hosts) - MOST_NAMES} more" if len(hosts) > MOST_NAMES else ""
            named = ", ".join(str(host) for host in hosts[:MOST_NAMES])
            yield f"{title} on {len(hosts)}: {named}{more}"


def _logs(hosts: Sequence[Host]) -> Iterator[str]:
    with_logs = [host for host in hosts if host.log.strip() or host.error_msg.strip()]
    for host in with_logs[:MOST_LOGS]:
        yield f"{host}:\n{_tail(host.log.strip() or host.error_msg.strip())}"


def _tail(log: str) -> str:
    """Return the end of a log, where the error is."""
    kept = "\n".join(log.splitlines()[-LOG_LINES:])[-LOG_CHARACTERS:]
    return kept if kept == log else f"…{kept}"


def _plain(output: Any) -> str:
    """Return an output of another shape as text; empty lists are left out."""
    if isinstance(output, dict):
        output = {key: value for key, value in output.items() if value not in (None, "", [], {})}
    if not output:
        return ""
    return _tail(output if isinstance(output, str) else json.dumps(output, ensure_ascii=False))
