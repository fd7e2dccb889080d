"""Cloud Phone Host's provider passes the conformance suite."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from bot.sdk.testing import ProviderContract, ProviderHarness
from plugins.cph import Cph
from plugins.cph.script import PhoneJob, RequestScript
from plugins.cph.simulator import SIMULATOR
from plugins.cph.translator import STATUS_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import web

NUMBERS = {word: int(number) for number, word in STATUS_NAMES.items()}


class TestCphConformance(ProviderContract):
    """A request without jobs does not exist, so the suite has no request of 0 tasks."""

    provider = Cph
    unknown_id = "d9170c6e4b8a45f2936ce10b7f24a85d"
    unknown_status = "7"
    time_formats = ("Z", "+08:00", "-03:30", "s", "ms", "")
    task_counts: ClassVar[tuple[int, ...]] = (1, 50, 100, 250)

    def put(
        self, app: web.Application, native: str, *, name: str = "deploy", tasks: int = 1
    ) -> str:
        jobs = tuple(PhoneJob(phone=name) for _ in range(tasks))
        request = app[SIMULATOR].add(RequestScript(uuid4().hex, jobs))
        app[SIMULATOR].finish(request.id, NUMBERS.get(native) or int(native))
        return request.id

    def urls(self, bench: ProviderHarness, id_: str) -> Iterable[str]:
        settings = bench.provider.settings
        api = f"{settings.base_url}/v1/{settings.project_id}/cloud-phone/jobs"
        yield f"{api}?request_id={id_}"
        yield f"{api}?limit=100&request_ids={id_}&offset=0"
