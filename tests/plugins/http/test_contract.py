"""The declarative provider passes the conformance suite."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from bot.sdk.testing import ProviderContract, ProviderHarness
from plugins.http import HttpJobs
from plugins.http.script import BuildScript, BuildStep
from plugins.http.simulator import SIMULATOR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import web

NUMBERS = count(2001)


class TestHttpJobsConformance(ProviderContract):
    """A provider can consist of settings alone."""

    provider = HttpJobs
    unknown_id = "build-9999"
    time_formats = ("Z", "+08:00", "-03:30", "s", "ms", "")

    def put(
        self, app: web.Application, native: str, *, name: str = "deploy", tasks: int = 1
    ) -> str:
        steps = tuple(BuildStep("step") for _ in range(tasks))
        return app[SIMULATOR].add(BuildScript(f"build-{next(NUMBERS)}", name, steps, state=native))

    def urls(self, bench: ProviderHarness, id_: str) -> Iterable[str]:
        yield bench.provider.settings.url.replace("{id}", id_)
