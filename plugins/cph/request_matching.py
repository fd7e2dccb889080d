"""Assigns the jobs of a batch response to their requests, which the response omits. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.sdk import Job, JobRef
    from plugins.cph.translator import JobPayload


def match_jobs(
    refs: Iterable[JobRef], seen: Mapping[JobRef, Job], jobs: Sequence[JobPayload]
) -> dict[JobRef, list[JobPayload]]:
    """Return the jobs of each request that is complete, by the task ids seen before.

    An unknown job may be a new one of any of the requests, so then the result is empty.
    """
    ids = {ref: frozenset(task.id for task in seen[ref].tasks) for ref in refs}
    owners = {id_: ref for ref, mine in ids.items() for id_ in mine}
    found: dict[JobRef, list[JobPayload]] = {ref: [] for ref in ids}
    for job in jobs:
        if job.job_id not in owners:
            return {}
        found[owners[job.job_id]].append(job)
    return {ref: mine for ref, mine in found.items() if len(mine) == len(ids[ref])}
