"""Fetches why runs failed from their queues; retries until a reason is known, then caches it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from bot.sdk import ProviderError, parse_time

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from plugins.aicc_rpa.api import ApiClient
    from plugins.aicc_rpa.translator import JobPayload

MAX_CACHED = 1_000  # that are cached


class FailureReasons:
    """Fetches and caches the failure reasons of one connection."""

    def __init__(self, api: ApiClient, zone: ZoneInfo) -> None:
        self._api = api
        self._zone = zone
        self.cached: dict[tuple[str, str], str] = {}

    async def fetch(self, payload: JobPayload) -> str:
        """Return why the latest run failed; empty if it did not, or if no reason is known.

        The job can be shown without a reason, so this method raises no provider error.
        """
        if not (payload.run_failed and payload.queue_uid):
            return ""
        run = (payload.uid, payload.run_id)
        if not self.cached.get(run):
            began = parse_time(payload.start_time, self._zone)
            with suppress(ProviderError):
                self.cached[run] = await self._api.fetch_failure_reason(payload.queue_uid, began)
        while len(self.cached) > MAX_CACHED:
            del self.cached[next(iter(self.cached))]
        return self.cached.get(run, "")
