"""Whose turn it is: the jobs whose tasks were asked for longest ago. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bot.models import Job, JobRef

MOST_REMEMBERED = 20_000


class Turns:
    """Remembers when the tasks of living jobs were asked for."""

    def __init__(self) -> None:
        self._asked_at: dict[JobRef, datetime] = {}

    def note(self, job: Job, now: datetime) -> None:
        """Remember that a job was asked for; one that has ended never is again."""
        self._asked_at.pop(job.ref, None)
        if not job.status.terminal:
            self._asked_at[job.ref] = now
        if len(self._asked_at) > MOST_REMEMBERED:
            del self._asked_at[next(iter(self._asked_at))]

    def first(self, refs: Iterable[JobRef], number: int) -> list[JobRef]:
        """Return the jobs whose turn it is, those never asked for first."""
        return sorted(refs, key=self._place)[:number]

    def _place(self, ref: JobRef) -> float:
        return self._asked_at[ref].timestamp() if ref in self._asked_at else 0.0
