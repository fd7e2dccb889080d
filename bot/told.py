"""What a thread was told of a job, as its messages' metadata carry it in Slack. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.models import Job, JobRef, Status, Task

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from bot.store import Board, Watch

About = dict[str, Any]  # the payload of the metadata, beside the message's key

MOST_CHARACTERS = 3_000  # of the ids of tasks; Slack takes about 8 KB of metadata
MOST_ON_BOARD = 7_000  # characters for all the rows of a board


def by_card(watch: Watch, job: Job | None, revision: int, *, over: bool = False) -> About:
    """Return what a card carries: all that is needed to follow its job again.

    `job` is what the thread knows by the time the card is read, and no more; `over`: it is not
    followed any more.
    """
    return {
        "key": f"{watch.id}:root",
        "card": True,
        "connection": watch.ref.connection,
        "job": watch.ref.id,
        "asker": watch.asker,
        "workspace": watch.workspace,
        **by_follow_up(watch, job, revision, over=over),
    }


def by_follow_up(watch: Watch, job: Job | None, revision: int, *, over: bool = False) -> About:
    """Return what a follow-up carries: how the job stands by what the thread now knows."""
    about: About = {"watch": watch.id, "revision": revision, "over": over}
    if job is None:
        return about
    return about | {
        "name": job.name[:200],
        "status": job.status.value,
        "native": job.native_status[:200],
        "failed": _ids(task.id for task in job.failed_tasks),
        "ended": _ids(t.id for t in job.tasks if t.announced and t.status.terminal),
    }


@dataclass(frozen=True)
class Standing:
    """One watch of a board, and what its thread knows."""

    watch: Watch
    job: Job | None
    revision: int
    over: bool  # it is not followed any more


# What a board carries of each row, the indispensable first: Slack takes about 8 KB in all.
Row = list[Any]
_ROW = ("watch", "connection", "job", "revision", "over", "status")
_MORE = ("name", "native", "failed", "ended")


def by_board(
    board: Board, standings: Sequence[Standing], kept: Mapping[str, Row] | None = None
) -> About:
    """Return what a board carries: all that is needed to follow its jobs again.

    `kept` are the rows, by watch, that stay as the board carried them (see `rows_of`).
    Where that is too much, what went wrong already is left out (and is told once more after a
    loss), then the names, then the jobs that are over; `left_out` counts rows for which there was
    no room even then.
    """
    ordered = sorted(standings, key=lambda one: one.over)
    rows = [(kept or {}).get(one.watch.id) or _row(one) for one in ordered]
    carried = _fitting(rows)
    return {
        "key": f"{board.id}:root",
        "board": board.id,
        "asker": board.asker,
        "workspace": board.workspace,
        "rows": carried,
        **({"left_out": len(rows) - len(carried)} if len(carried) < len(rows) else {}),
    }


def _fitting(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with as many columns as there is room for, else the first of them."""
    for columns in range(len(_ROW) + len(_MORE), len(_ROW) - 1, -1):
        kept = [row[:columns] for row in rows]
        if _weight(kept) <= MOST_ON_BOARD:
            return kept
    while _weight(kept) > MOST_ON_BOARD:
        kept.pop()
    return kept


def rows_of(about: Mapping[str, Any] | None, watches: Collection[str]) -> dict[str, Row]:
    """Return the rows of these watches as a board carries them."""
    return {row[0]: row for row in (about or {}).get("rows", ()) if row[0] in watches}


def _row(one: Standing) -> Row:
    about = by_follow_up(one.watch, one.job, one.revision, over=one.over)
    about |= {"connection": one.watch.ref.connection, "job": one.watch.ref.id}
    return [about.get(column, "") for column in (*_ROW, *_MORE)]


def _weight(rows: Sequence[Sequence[Any]]) -> int:
    return len(json.dumps(rows, separators=(",", ":")))


def cards_of(about: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what a message carries as that many cards: a board stands for several."""
    rows = about.get("rows")
    if not isinstance(about.get("board"), str) or not isinstance(rows, list):
        return [about]
    shared = {name: about.get(name) for name in ("board", "asker", "workspace")} | {"card": True}
    named = [dict(zip((*_ROW, *_MORE), row, strict=False)) for row in rows if isinstance(row, list)]
    return [shared | {name: held for name, held in row.items() if held != ""} for row in named]


def job_of(ref: JobRef, about: Mapping[str, Any]) -> Job | None:
    """Return the job as a thread knows it, as far as telling the next change needs it."""
    word = str(about.get("status", ""))
    if word not in set(Status):
        return None
    failed = {str(id_) for id_ in about.get("failed") or ()}
    ended = [str(id_) for id_ in about.get("ended") or () if str(id_) not in failed]
    return Job(
        ref=ref,
        name=str(about.get("name") or ref.id),
        status=Status(word),
        native_status=str(about.get("native") or ""),
        tasks=(
            *(Task(id=id_, name=id_, status=Status.FAILED) for id_ in sorted(failed)),
            *(Task(id=id_, name=id_, status=Status.SUCCEEDED, announced=True) for id_ in ended),
        ),
    )


def latest(abouts: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the one that tells of the newest look."""
    telling = [about for about in abouts if "status" in about]
    return max(telling, key=lambda about: int(about.get("revision") or 0), default=None)


def _ids(ids: Iterable[str]) -> list[str]:
    """Return the newest of the ids that there is room for; the order is the provider's."""
    kept: list[str] = []
    room = MOST_CHARACTERS
    for id_ in reversed(list(ids)):
        room -= len(id_) + 4
        if room < 0:
            break
        kept.append(id_)
    return kept[::-1]
