"""NebulaGraph Explorer's provider passes the conformance suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sdk.testing import ProviderContract, ProviderHarness
from plugins.nebula_explorer import NebulaExplorer
from plugins.nebula_explorer.simulator import SIMULATOR
from plugins.nebula_explorer.translator import STATUS_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import web

CODES = {word: code for code, word in STATUS_NAMES.items()}


class TestNebulaExplorerConformance(ProviderContract):
    """Statuses are numbers; an unknown number is its own word."""

    provider = NebulaExplorer
    unknown_id = "40404"
    unknown_status = "9"
    time_formats = ("Z", "+08:00", "-03:30", "s", "ms", "")

    def put(
        self, app: web.Application, native: str, *, name: str = "deploy", tasks: int = 1
    ) -> str:
        code = CODES[native] if native in CODES else int(native)
        rows = [{"id": f"t{n}", "name": f"BFS {n}", "status": code} for n in range(tasks)]
        return app[SIMULATOR].put(name, code, tasks=rows)

    def urls(self, bench: ProviderHarness, id_: str) -> Iterable[str]:
        yield f"{bench.provider.settings.url}/api-open/v1/jobs/{id_}"
