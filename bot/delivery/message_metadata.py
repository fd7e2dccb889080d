"""Message metadata: the last job state that a thread has seen. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.sdk.models import Job, JobRef, Status, Task

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from bot.store import Board, Watch

Metadata = dict[str, Any]  # event_payload, beside the idempotency key

MAX_ID_CHARACTERS = 3_000  # of task ids; Slack accepts about 8 KB of metadata
MAX_BOARD_CHARACTERS = 7_000  # of all rows of a board


def for_card(watch: Watch, job: Job | None, revision: int, *, ended: bool = False) -> Metadata:
    """Return a card's metadata: enough to follow its job again.

    `job`: the state that the thread has seen, which may be older than the card; `ended`: the watch
    has ended.
    """
    return {
        "key": f"{watch.id}:root",
        "card": True,
        "connection": watch.ref.connection,
        "job": watch.ref.id,
        "asker": watch.asker,
        "workspace": watch.workspace,
        **for_reply(watch, job, revision, ended=ended),
    }


def for_reply(watch: Watch, job: Job | None, revision: int, *, ended: bool = False) -> Metadata:
    """Return a thread reply's metadata: the job state that the thread has seen with it."""
    metadata: Metadata = {"watch": watch.id, "revision": revision, "over": ended}
    if job is None:
        return metadata
    return metadata | {
        "name": job.name[:200],
        "status": job.status.value,
        "native": job.native_status[:200],
        "failed": _ids(task.id for task in job.failed_tasks),
        "ended": _ids(t.id for t in job.tasks if t.announced and t.status.terminal),
    }


@dataclass(frozen=True)
class BoardRowState:
    """One watch of a board, and the job state that its thread has seen."""

    watch: Watch
    job: Job | None
    revision: int
    ended: bool  # the watch has ended


# Columns of a board's row: required ones, then optional ones. Slack accepts about 8 KB in all.
Row = list[Any]
_REQUIRED = ("watch", "connection", "job", "revision", "over", "status")
_OPTIONAL = ("name", "native", "failed", "ended")


def for_board(
    board: Board, row_states: Sequence[BoardRowState], kept_rows: Mapping[str, Row] | None = None
) -> Metadata:
    """Return a board's metadata: enough to follow its jobs again.

    `kept_rows`: rows by watch id that stay unchanged (see `select_rows`). If the rows exceed
    Slack's limit, these are dropped in order: failed and ended task ids (reported again after a
    loss of the database), names, rows of ended watches. `left_out` counts the dropped rows.
    """
    ordered = sorted(row_states, key=lambda state: state.ended)
    rows = [(kept_rows or {}).get(state.watch.id) or _row(state) for state in ordered]
    fitting = _fit(rows)
    return {
        "key": f"{board.id}:root",
        "board": board.id,
        "asker": board.asker,
        "workspace": board.workspace,
        "rows": fitting,
        **({"left_out": len(rows) - len(fitting)} if len(fitting) < len(rows) else {}),
    }


def _fit(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with as many columns as fit; if too few do, the first rows only."""
    for columns in range(len(_REQUIRED) + len(_OPTIONAL), len(_REQUIRED) - 1, -1):
        kept = [row[:columns] for row in rows]
        if _json_size(kept) <= MAX_BOARD_CHARACTERS:
            return kept
    while _json_size(kept) > MAX_BOARD_CHARACTERS:
        kept.pop()
    return kept


def select_rows(metadata: Mapping[str, Any] | None, watches: Collection[str]) -> dict[str, Row]:
    """Return the rows of these watches in a board's metadata."""
    return {row[0]: row for row in (metadata or {}).get("rows", ()) if row[0] in watches}


def _row(state: BoardRowState) -> Row:
    metadata = for_reply(state.watch, state.job, state.revision, ended=state.ended)
    metadata |= {"connection": state.watch.ref.connection, "job": state.watch.ref.id}
    return [metadata.get(column, "") for column in (*_REQUIRED, *_OPTIONAL)]


def _json_size(rows: Sequence[Sequence[Any]]) -> int:
    return len(json.dumps(rows, separators=(",", ":")))


def split_by_watch(metadata: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return a message's metadata per watch: one item for a card, one per row for a board."""
    rows = metadata.get("rows")
    if not isinstance(metadata.get("board"), str) or not isinstance(rows, list):
        return [metadata]
    shared = {name: metadata.get(name) for name in ("board", "asker", "workspace")} | {"card": True}
    named = [
        dict(zip((*_REQUIRED, *_OPTIONAL), row, strict=False))
        for row in rows
        if isinstance(row, list)
    ]
    return [shared | {name: value for name, value in row.items() if value != ""} for row in named]


def job_from_metadata(ref: JobRef, metadata: Mapping[str, Any]) -> Job | None:
    """Return the job state that a thread has seen, as far as the next diff needs it."""
    status = str(metadata.get("status", ""))
    if status not in set(Status):
        return None
    failed = {str(id_) for id_ in metadata.get("failed") or ()}
    ended = [str(id_) for id_ in metadata.get("ended") or () if str(id_) not in failed]
    return Job(
        ref=ref,
        name=str(metadata.get("name") or ref.id),
        status=Status(status),
        native_status=str(metadata.get("native") or ""),
        tasks=(
            *(Task(id=id_, name=id_, status=Status.FAILED) for id_ in sorted(failed)),
            *(Task(id=id_, name=id_, status=Status.SUCCEEDED, announced=True) for id_ in ended),
        ),
    )


def latest(abouts: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the metadata with the newest job state."""
    with_status = [about for about in abouts if "status" in about]
    return max(with_status, key=lambda about: int(about.get("revision") or 0), default=None)


def _ids(ids: Iterable[str]) -> list[str]:
    """Return the last ids that fit, in the provider's order."""
    kept: list[str] = []
    room = MAX_ID_CHARACTERS
    for id_ in reversed(list(ids)):
        room -= len(id_) + 4
        if room < 0:
            break
        kept.append(id_)
    return kept[::-1]
