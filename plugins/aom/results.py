"""What a node did on its hosts, and what they said: the free-form `output`, for people. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator

from bot.providers.payload import Word
from plugins.huaweicloud.payload import AnyCase

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_NAMES = 10  # of hosts, in one line
MOST_LOGS = 3
LOG_LINES = 12  # of each host
LOG_CHARACTERS = 700


def _rows(value: Any) -> list[Any]:
    """Return the rows of a list; one that is only a name is a row, too."""
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
        known = self.name or self.app or self.ip or self.id or "a host without a name"
        return f"{known} (exit code {self.exit_code})" if self.exit_code else known


Hosts = Annotated[tuple[Host, ...], BeforeValidator(_rows)]


class Results(AnyCase):
    """The hosts of a node by how it went on them."""

    fail: Hosts = ()
    success: Hosts = ()
    in_execution: Hosts = ()
    not_performed: Hosts = ()

    @property
    def any(self) -> bool:
        """Whether it names any host."""
        return bool(self.fail or self.success or self.in_execution or self.not_performed)


def read(output: Any) -> Results:
    """Return what an output tells of hosts; one of another shape tells of none."""
    return Results.model_validate(output if isinstance(output, dict) else {})


def told(output: Any) -> str:
    """Return the hosts, line by line, and the ends of the logs that matter."""
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
    for label, hosts in kinds:
        if hosts:
            more = f" and {len(hosts) - MOST_NAMES} more" if len(hosts) > MOST_NAMES else ""
            named = ", ".join(str(host) for host in hosts[:MOST_NAMES])
            yield f"{label} on {len(hosts)}: {named}{more}"


def _logs(hosts: Sequence[Host]) -> Iterator[str]:
    telling = [host for host in hosts if host.log.strip() or host.error_msg.strip()]
    for host in telling[:MOST_LOGS]:
        yield f"{host}:\n{_tail(host.log.strip() or host.error_msg.strip())}"


def _tail(log: str) -> str:
    """Return the end of a log: that is where it says what went wrong."""
    kept = "\n".join(log.splitlines()[-LOG_LINES:])[-LOG_CHARACTERS:]
    return kept if kept == log else f"…{kept}"


def _plain(output: Any) -> str:
    """Return an output of another shape as it is; lists of no hosts say nothing."""
    if isinstance(output, dict):
        output = {key: value for key, value in output.items() if value not in (None, "", [], {})}
    if not output:
        return ""
    return _tail(output if isinstance(output, str) else json.dumps(output, ensure_ascii=False))
