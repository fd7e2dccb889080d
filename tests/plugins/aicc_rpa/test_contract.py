"""AICC RPA's provider passes the conformance suite."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from bot.sdk.testing import ProviderContract, ProviderHarness
from plugins.aicc_rpa import AiccRpa
from plugins.aicc_rpa.simulator import SIMULATOR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import web


class TestAiccRpaConformance(ProviderContract):
    """A job has one task at most: its latest run."""

    provider = AiccRpa
    unknown_id = "f60a3b9c27d84e15a90be4c8d2715f36"
    time_formats = ("Z", "+08:00", "-03:30", "s", "ms", "")
    task_only_statuses: ClassVar[frozenset[str]] = frozenset({"processing"})
    task_counts: ClassVar[tuple[int, ...]] = (0, 1)

    def put(
        self, app: web.Application, native: str, *, name: str = "deploy", tasks: int = 1
    ) -> str:
        ended = native in ("success", "failed")
        recent = native if ended else "processing"
        return app[SIMULATOR].put(
            name,
            status="success" if ended else native,
            startTime="2026-11-22 19:00:00" if tasks else None,
            recentTaskStatus=recent if tasks else None,
        )

    def urls(self, bench: ProviderHarness, id_: str) -> Iterable[str]:
        yield f"{bench.provider.settings.url}/oifde/rest/api/rpa/queryJobDetails?uid={id_}"
