"""The watched jobs: as they were last seen, and when to look again."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert  # compiles on SQLite as well: see inbox.py

from bot import sabotage
from bot.models import Job, JobRef
from bot.store.records import WatchedJob, shard_of
from bot.store.tables import ACTIVE, AWAKE, LIVING, jobs, watches

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

JOB = (
    jobs.c.workspace,
    jobs.c.connection,
    jobs.c.job_id,
    jobs.c.revision,
    jobs.c.seen,
    jobs.c.due_at,
    jobs.c.checked_at,
    jobs.c.failures,
    jobs.c.trouble,
    jobs.c.trouble_since,
)
_THIS = (
    jobs.c.workspace == bindparam("in_workspace"),
    jobs.c.connection == bindparam("of_connection"),
    jobs.c.job_id == bindparam("of_job"),
)
_AS_SEEN = (*_THIS, jobs.c.revision == bindparam("at_revision"))
# A look that found no change, or failed, leaves the revision as it was.
_AS_FAILED = jobs.c.failures == bindparam("at_failures")
_OF_SHARD = (
    AWAKE,
    jobs.c.connection == bindparam("of_connection"),
    jobs.c.shard % bindparam("shards") == bindparam("shard_no"),
)
_WATCHED = (
    (watches.c.workspace == jobs.c.workspace)
    & (watches.c.connection == jobs.c.connection)
    & (watches.c.job_id == jobs.c.job_id)
)

_NEW = insert(jobs)
_TRACK = _NEW.on_conflict_do_update(
    index_elements=[jobs.c.workspace, jobs.c.connection, jobs.c.job_id],
    set_={"due_at": func.coalesce(jobs.c.due_at, _NEW.excluded.due_at)},
).returning(*JOB)
_GET = select(*JOB).where(
    jobs.c.workspace == bindparam("in_workspace"),
    jobs.c.connection == bindparam("of_connection"),
    jobs.c.job_id.in_(bindparam("of_jobs", expanding=True)),
)
_HOLD = select(jobs.c.job_id).where(*_THIS).with_for_update()
_DUE = (
    select(*JOB)
    .where(*_OF_SHARD, jobs.c.due_at <= bindparam("at"))
    .order_by(jobs.c.due_at)
    .limit(bindparam("most"))
)
_NEXT_DUE = select(jobs.c.due_at).where(*_OF_SHARD).order_by(jobs.c.due_at).limit(1)
_ANSWERED = {"checked_at": bindparam("at"), "failures": 0, "trouble": "", "trouble_since": None}
# A job that was put to sleep while it was being asked for stays asleep: hence AWAKE.
_UNCHANGED = (
    update(jobs)
    .where(AWAKE, *_AS_SEEN, _AS_FAILED)
    .values(due_at=bindparam("next_due_at"), **_ANSWERED)
)
_CHANGED = (
    update(jobs)
    .where(*(_THIS if sabotage.broken(sabotage.Safeguard.CAS) else _AS_SEEN))
    .values(
        revision=jobs.c.revision + 1,
        seen=bindparam("look"),
        due_at=case(
            (AWAKE, bindparam("next_due_at", type_=jobs.c.due_at.type)), else_=jobs.c.due_at
        ),
        **_ANSWERED,
    )
)
_FAILED = (
    update(jobs)
    .where(AWAKE, *_AS_SEEN, _AS_FAILED)
    .values(
        due_at=bindparam("next_due_at"),
        checked_at=bindparam("at"),
        failures=bindparam("in_a_row"),
        trouble=bindparam("what"),
        trouble_since=bindparam("since"),
    )
)
_WAKE = update(jobs).where(*_THIS).values(due_at=bindparam("next_due_at"))
_SETTLE = update(jobs).where(AWAKE, ~exists().where(ACTIVE, _WATCHED)).values(due_at=None)
_SETTLE_ONE = _SETTLE.where(*_THIS)
_CONNECTIONS = select(jobs.c.connection).where(AWAKE).distinct().order_by(jobs.c.connection)
_PRUNE = delete(jobs).where(
    jobs.c.due_at.is_(None),
    jobs.c.checked_at < bindparam("before"),
    ~exists().where(LIVING, _WATCHED),
)


def watched_job(row: Sequence[Any]) -> WatchedJob:
    """Build the record from the columns of `JOB`."""
    workspace, connection, job_id, revision, seen, due_at, checked_at, *trouble = row
    return WatchedJob(
        workspace=workspace,
        ref=JobRef.model_construct(connection=connection, id=job_id),
        revision=revision,
        seen=seen,
        due_at=due_at,
        checked_at=checked_at,
        failures=trouble[0],
        trouble=trouble[1],
        trouble_since=trouble[2],
    )


def _address(workspace: str, ref: JobRef) -> dict[str, Any]:
    return {"in_workspace": workspace, "of_connection": ref.connection, "of_job": ref.id}


def _as_seen(watched: WatchedJob) -> dict[str, Any]:
    return _address(watched.workspace, watched.ref) | {"at_revision": watched.revision}


def _as_failed(watched: WatchedJob) -> dict[str, Any]:
    return _as_seen(watched) | {"at_failures": watched.failures}


class Jobs:
    """The watched jobs, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def track(
        self, workspace: str, job: Job, *, due_at: datetime | None, now: datetime, revision: int = 1
    ) -> WatchedJob:
        """Begin to look after a job, as seen now; one that is known is only woken if it sleeps.

        Without `due_at` it is only kept as it was seen, and nobody looks again.

        Return the job as it is then known.
        """
        row = {
            "workspace": workspace,
            "connection": job.ref.connection,
            "job_id": job.ref.id,
            "shard": shard_of(job.ref),
            "revision": revision,
            "seen": job,
            "due_at": due_at,
            "checked_at": now,
            "failures": 0,
            "trouble": "",
        }
        return watched_job((await self._connection.execute(_TRACK, row)).one())

    async def get(self, workspace: str, refs: Iterable[JobRef]) -> dict[JobRef, WatchedJob]:
        """Return those of these jobs that are known."""
        found: dict[JobRef, WatchedJob] = {}
        ordered = sorted(refs, key=lambda ref: ref.connection)
        for connection, group in groupby(ordered, key=lambda ref: ref.connection):
            ids = [ref.id for ref in group]
            bound = {"in_workspace": workspace, "of_connection": connection, "of_jobs": ids}
            rows = await self._connection.execute(_GET, bound)
            found |= {job.ref: job for job in map(watched_job, rows)}
        return found

    async def due(
        self, connection: str, *, shards: tuple[int, int], now: datetime, limit: int
    ) -> list[WatchedJob]:
        """Return jobs of shard k of n whose time has come, the longest overdue first."""
        bound = _shard(connection, shards) | {"at": now, "most": limit}
        return [watched_job(row) for row in await self._connection.execute(_DUE, bound)]

    async def next_due(
        self, connection: str, shards: tuple[int, int], now: datetime
    ) -> datetime | None:
        """Return when the first job of shard k of n is due, at the earliest now."""
        rows = await self._connection.execute(_NEXT_DUE, _shard(connection, shards))
        first: datetime | None = rows.scalar()
        return None if first is None else max(first, now)

    async def unchanged(self, looks: Iterable[tuple[WatchedJob, datetime]], now: datetime) -> None:
        """Note that these jobs answered as before, and when to look again."""
        bound = [
            _as_failed(watched) | {"next_due_at": due_at, "at": now} for watched, due_at in looks
        ]
        if bound:
            await self._connection.execute(_UNCHANGED, bound)

    async def changed(
        self, watched: WatchedJob, job: Job, *, due_at: datetime | None, now: datetime
    ) -> bool:
        """Write a new look; False if somebody else wrote one since `watched` was read.

        A job that sleeps goes on sleeping: only `track` and `wake` wake it.
        """
        bound = _as_seen(watched) | {"look": job, "next_due_at": due_at, "at": now}
        return (await self._connection.execute(_CHANGED, bound)).rowcount == 1

    async def failed(
        self,
        watched: WatchedJob,
        *,
        failures: int,
        trouble: str,
        trouble_since: datetime | None,
        due_at: datetime,
        now: datetime,
    ) -> bool:
        """Note that a job gave no answer, and when to ask again; False as of `changed`.

        Also False if nobody follows the job any more.
        """
        bound = _as_failed(watched) | {
            "in_a_row": failures,
            "what": trouble,
            "since": trouble_since,
            "next_due_at": due_at,
            "at": now,
        }
        return (await self._connection.execute(_FAILED, bound)).rowcount == 1

    async def hold(self, workspace: str, ref: JobRef) -> None:
        """Let nobody else write a look at this job down until this transaction ends."""
        await self._connection.execute(_HOLD, _address(workspace, ref))

    async def wake(self, workspace: str, ref: JobRef, *, due_at: datetime) -> bool:
        """Look at a known job then, whether it sleeps or not; False if it is not known."""
        bound = _address(workspace, ref) | {"next_due_at": due_at}
        return (await self._connection.execute(_WAKE, bound)).rowcount == 1

    async def settle(self, workspace: str | None = None, refs: Iterable[JobRef] = ()) -> int:
        """Put to sleep the jobs that no active watch follows; return how many.

        With a workspace only these jobs of it are considered, which is cheap: without, all are.
        """
        if workspace is None:
            return (await self._connection.execute(_SETTLE)).rowcount
        results = [
            await self._connection.execute(_SETTLE_ONE, _address(workspace, ref)) for ref in refs
        ]
        return sum(result.rowcount for result in results)

    async def connections(self) -> list[str]:
        """Return the connections that have jobs to look at."""
        return list((await self._connection.execute(_CONNECTIONS)).scalars())

    async def prune(self, before: datetime) -> int:
        """Forget sleeping jobs without a living watch, not looked at since; return how many."""
        return (await self._connection.execute(_PRUNE, {"before": before})).rowcount


def _shard(connection: str, shards: tuple[int, int]) -> dict[str, Any]:
    return {"of_connection": connection, "shard_no": shards[0], "shards": shards[1]}
