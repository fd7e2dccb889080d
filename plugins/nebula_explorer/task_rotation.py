"""Task rotation: selects the jobs whose tasks were fetched longest ago. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bot.sdk import Job, JobRef

MAX_TRACKED = 20_000


class TaskRotation:
    """Records when the tasks of active jobs were last fetched."""

    def __init__(self) -> None:
        self._fetched_at: dict[JobRef, datetime] = {}

    def record_fetch(self, job: Job, now: datetime) -> None:
        """Record that a job was fetched; an ended job is dropped."""
        self._fetched_at.pop(job.ref, None)
        if not job.status.terminal:
            self._fetched_at[job.ref] = now
        if len(self._fetched_at) > MAX_TRACKED:
            del self._fetched_at[next(iter(self._fetched_at))]

    def least_recent(self, refs: Iterable[JobRef], number: int) -> list[JobRef]:
        """Return the jobs fetched longest ago; jobs never fetched come first."""
        return sorted(refs, key=self._sort_key)[:number]

    def _sort_key(self, ref: JobRef) -> float:
        return self._fetched_at[ref].timestamp() if ref in self._fetched_at else 0.0
