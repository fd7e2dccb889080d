"""Which jobs belong to which request: an answer about several requests does not tell. Pure."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plugins.cph.translator import JobPayload

MOST_JOBS = 200_000  # remembered by one connection, some 30 MB


class Known:
    """What earlier looks told of the living requests; those not asked for longest are forgotten."""

    def __init__(self, most: int = MOST_JOBS) -> None:
        self._most = most
        self._requests: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._jobs = 0

    def __contains__(self, request: str) -> bool:
        return request in self._requests

    def learn(self, request: str, jobs: Iterable[JobPayload]) -> None:
        """Keep the ids of a request's jobs; a job without an id could not be told apart."""
        self.forget(request)
        ids = frozenset(job.job_id for job in jobs)
        if "" in ids or len(ids) > self._most:
            return
        self._requests[request] = ids
        self._jobs += len(ids)
        while self._jobs > self._most:
            self.forget(next(iter(self._requests)))

    def forget(self, request: str) -> None:
        """Drop a request that nobody will ask for again."""
        self._jobs -= len(self._requests.pop(request, ()))

    def split(
        self, requests: Iterable[str], jobs: Sequence[JobPayload]
    ) -> dict[str, list[JobPayload]]:
        """Return each request's jobs where all of them are there.

        A job that is nobody's may be a new one of any of the requests, so then nothing is told.
        """
        ids = {request: self._requests.get(request, frozenset()) for request in requests}
        owners = {id_: request for request, mine in ids.items() for id_ in mine}
        found: dict[str, list[JobPayload]] = {request: [] for request in ids}
        for job in jobs:
            if job.job_id not in owners:
                return {}
            found[owners[job.job_id]].append(job)
        return {request: mine for request, mine in found.items() if len(mine) == len(ids[request])}
