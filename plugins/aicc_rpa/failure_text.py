"""Fetches why runs failed from their queues; retries until a reason is known, then caches it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from bot.sdk.errors import ProviderError
from bot.sdk.timestamps import moment

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from plugins.aicc_rpa.api import Api
    from plugins.aicc_rpa.translator import JobPayload

MOST_REASONS = 1_000  # that are cached


class Reasons:
    """Fetches and caches the failure reasons of one connection."""

    def __init__(self, api: Api, zone: ZoneInfo) -> None:
        self._api = api
        self._zone = zone
        self.known: dict[tuple[str, str], str] = {}

    async def of(self, payload: JobPayload) -> str:
        """Return why the latest run failed; empty if it did not, or if no reason is known.

        The job can be shown without a reason, so this method raises no provider error.
        """
        if not (payload.run_failed and payload.queue_uid):
            return ""
        run = (payload.uid, payload.run)
        if not self.known.get(run):
            began = moment(payload.start_time, self._zone)
            with suppress(ProviderError):
                self.known[run] = await self._api.failure(payload.queue_uid, began)
        while len(self.known) > MOST_REASONS:
            del self.known[next(iter(self.known))]
        return self.known.get(run, "")
