"""Watched jobs: their last known snapshots, and when each is polled next."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert  # compiles on SQLite as well: see inbox.py

from bot.sdk.models import Job, JobRef
from bot.store.records import WatchedJob, shard_of
from bot.store.tables import ACTIVE, NOT_ENDED, POLLED, jobs, watches

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

JOB_COLUMNS = (
    jobs.c.workspace,
    jobs.c.connection,
    jobs.c.job_id,
    jobs.c.revision,
    jobs.c.snapshot,
    jobs.c.due_at,
    jobs.c.polled_at,
    jobs.c.failures,
    jobs.c.error,
    jobs.c.failing_since,
)
_THIS = (
    jobs.c.workspace == bindparam("in_workspace"),
    jobs.c.connection == bindparam("of_connection"),
    jobs.c.job_id == bindparam("of_job"),
)
_SAME_REVISION = (*_THIS, jobs.c.revision == bindparam("at_revision"))
# A poll that finds no change, or fails, keeps the revision.
_SAME_FAILURES = jobs.c.failures == bindparam("at_failures")
_OF_SHARD = (
    POLLED,
    jobs.c.connection == bindparam("of_connection"),
    jobs.c.shard % bindparam("shards") == bindparam("shard_no"),
)
_WATCHES_OF_JOB = (
    (watches.c.workspace == jobs.c.workspace)
    & (watches.c.connection == jobs.c.connection)
    & (watches.c.job_id == jobs.c.job_id)
)

_NEW = insert(jobs)
_TRACK = _NEW.on_conflict_do_update(
    index_elements=[jobs.c.workspace, jobs.c.connection, jobs.c.job_id],
    set_={"due_at": func.coalesce(jobs.c.due_at, _NEW.excluded.due_at)},
).returning(*JOB_COLUMNS)
_GET = select(*JOB_COLUMNS).where(
    jobs.c.workspace == bindparam("in_workspace"),
    jobs.c.connection == bindparam("of_connection"),
    jobs.c.job_id.in_(bindparam("of_jobs", expanding=True)),
)
_LOCK = select(jobs.c.job_id).where(*_THIS).with_for_update()
_DUE = (
    select(*JOB_COLUMNS)
    .where(*_OF_SHARD, jobs.c.due_at <= bindparam("at"))
    .order_by(jobs.c.due_at)
    .limit(bindparam("most"))
)
_NEXT_DUE = select(jobs.c.due_at).where(*_OF_SHARD).order_by(jobs.c.due_at).limit(1)
_SUCCEEDED = {"polled_at": bindparam("at"), "failures": 0, "error": "", "failing_since": None}
# POLLED: a result does not restart the polling of a job that was stopped during the poll.
_TOUCH = (
    update(jobs)
    .where(POLLED, *_SAME_REVISION, _SAME_FAILURES)
    .values(due_at=bindparam("next_due_at"), **_SUCCEEDED)
)
_COMPARE_AND_SET = (
    update(jobs)
    .where(*_SAME_REVISION)
    .values(
        revision=jobs.c.revision + 1,
        snapshot=bindparam("new_snapshot"),
        due_at=case(
            (POLLED, bindparam("next_due_at", type_=jobs.c.due_at.type)), else_=jobs.c.due_at
        ),
        **_SUCCEEDED,
    )
)
_RECORD_FAILURE = (
    update(jobs)
    .where(POLLED, *_SAME_REVISION, _SAME_FAILURES)
    .values(
        due_at=bindparam("next_due_at"),
        polled_at=bindparam("at"),
        failures=bindparam("in_a_row"),
        error=bindparam("what"),
        failing_since=bindparam("since"),
    )
)
_WAKE = update(jobs).where(*_THIS).values(due_at=bindparam("next_due_at"))
_SLEEP = update(jobs).where(POLLED, ~exists().where(ACTIVE, _WATCHES_OF_JOB)).values(due_at=None)
_SLEEP_ONE = _SLEEP.where(*_THIS)
_CONNECTIONS = select(jobs.c.connection).where(POLLED).distinct().order_by(jobs.c.connection)
_PRUNE = delete(jobs).where(
    jobs.c.due_at.is_(None),
    jobs.c.polled_at < bindparam("before"),
    ~exists().where(NOT_ENDED, _WATCHES_OF_JOB),
)


def job_from_row(row: Sequence[Any]) -> WatchedJob:
    """Build the record from the values of `JOB_COLUMNS`."""
    workspace, connection, job_id, revision, snapshot, due_at, polled_at, *failure = row
    return WatchedJob(
        workspace=workspace,
        ref=JobRef.model_construct(connection=connection, id=job_id),
        revision=revision,
        snapshot=snapshot,
        due_at=due_at,
        polled_at=polled_at,
        failures=failure[0],
        error=failure[1],
        failing_since=failure[2],
    )


def _job_params(workspace: str, ref: JobRef) -> dict[str, Any]:
    return {"in_workspace": workspace, "of_connection": ref.connection, "of_job": ref.id}


def _revision_params(watched: WatchedJob) -> dict[str, Any]:
    return _job_params(watched.workspace, watched.ref) | {"at_revision": watched.revision}


def _failure_params(watched: WatchedJob) -> dict[str, Any]:
    return _revision_params(watched) | {"at_failures": watched.failures}


class Jobs:
    """The watched jobs, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def track(
        self, workspace: str, job: Job, *, due_at: datetime | None, now: datetime, revision: int = 1
    ) -> WatchedJob:
        """Start to poll a job with this snapshot; if it is known, only restart stopped polling.

        Without `due_at` its snapshot is stored, and it is not polled. Return the job as stored.
        """
        row = {
            "workspace": workspace,
            "connection": job.ref.connection,
            "job_id": job.ref.id,
            "shard": shard_of(job.ref),
            "revision": revision,
            "snapshot": job,
            "due_at": due_at,
            "polled_at": now,
            "failures": 0,
            "error": "",
        }
        return job_from_row((await self._connection.execute(_TRACK, row)).one())

    async def get(self, workspace: str, refs: Iterable[JobRef]) -> dict[JobRef, WatchedJob]:
        """Return the known ones of these jobs."""
        found: dict[JobRef, WatchedJob] = {}
        ordered = sorted(refs, key=lambda ref: ref.connection)
        for connection, group in groupby(ordered, key=lambda ref: ref.connection):
            ids = [ref.id for ref in group]
            bound = {"in_workspace": workspace, "of_connection": connection, "of_jobs": ids}
            rows = await self._connection.execute(_GET, bound)
            found |= {job.ref: job for job in map(job_from_row, rows)}
        return found

    async def due(
        self, connection: str, *, shards: tuple[int, int], now: datetime, limit: int
    ) -> list[WatchedJob]:
        """Return the due jobs of shard k of n, the longest overdue first."""
        bound = _shard_params(connection, shards) | {"at": now, "most": limit}
        return [job_from_row(row) for row in await self._connection.execute(_DUE, bound)]

    async def next_due(
        self, connection: str, shards: tuple[int, int], now: datetime
    ) -> datetime | None:
        """Return when the first job of shard k of n is due, at the earliest now."""
        rows = await self._connection.execute(_NEXT_DUE, _shard_params(connection, shards))
        first: datetime | None = rows.scalar()
        return None if first is None else max(first, now)

    async def touch(self, polls: Iterable[tuple[WatchedJob, datetime]], now: datetime) -> None:
        """Record polls that found no change, and when each job is polled next."""
        bound = [
            _failure_params(watched) | {"next_due_at": due_at, "at": now}
            for watched, due_at in polls
        ]
        if bound:
            await self._connection.execute(_TOUCH, bound)

    async def compare_and_set(
        self, watched: WatchedJob, job: Job, *, due_at: datetime | None, now: datetime
    ) -> bool:
        """Store a new snapshot by compare-and-set; return False if the revision is outdated.

        This does not restart stopped polling: only `track` and `wake` do.
        """
        bound = _revision_params(watched) | {"new_snapshot": job, "next_due_at": due_at, "at": now}
        return (await self._connection.execute(_COMPARE_AND_SET, bound)).rowcount == 1

    async def record_failure(
        self,
        watched: WatchedJob,
        *,
        failures: int,
        error: str,
        failing_since: datetime | None,
        due_at: datetime,
        now: datetime,
    ) -> bool:
        """Record a failed poll, and when to poll next; return False if the row is outdated.

        Also return False if polling has stopped.
        """
        bound = _failure_params(watched) | {
            "in_a_row": failures,
            "what": error,
            "since": failing_since,
            "next_due_at": due_at,
            "at": now,
        }
        return (await self._connection.execute(_RECORD_FAILURE, bound)).rowcount == 1

    async def lock(self, workspace: str, ref: JobRef) -> None:
        """Lock the job's row until the transaction ends."""
        await self._connection.execute(_LOCK, _job_params(workspace, ref))

    async def wake(self, workspace: str, ref: JobRef, *, due_at: datetime) -> bool:
        """Poll a known job at that time, even if polling stopped; return False if unknown."""
        bound = _job_params(workspace, ref) | {"next_due_at": due_at}
        return (await self._connection.execute(_WAKE, bound)).rowcount == 1

    async def sleep_unwatched(
        self, workspace: str | None = None, refs: Iterable[JobRef] = ()
    ) -> int:
        """Stop polling jobs without an active watch; return how many.

        With a workspace only these jobs of it are checked, which is cheap; without, all are.
        """
        if workspace is None:
            return (await self._connection.execute(_SLEEP)).rowcount
        results = [
            await self._connection.execute(_SLEEP_ONE, _job_params(workspace, ref)) for ref in refs
        ]
        return sum(result.rowcount for result in results)

    async def connections(self) -> list[str]:
        """Return the connections that have jobs to poll."""
        return list((await self._connection.execute(_CONNECTIONS)).scalars())

    async def prune(self, before: datetime) -> int:
        """Delete jobs not polled since then that have no open watch; return how many."""
        return (await self._connection.execute(_PRUNE, {"before": before})).rowcount


def _shard_params(connection: str, shards: tuple[int, int]) -> dict[str, Any]:
    return {"of_connection": connection, "shard_no": shards[0], "shards": shards[1]}
