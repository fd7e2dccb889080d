"""The documentation's example: a recorded Nebula response read by settings alone."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from aiohttp import web

from bot.providers.connections import Connection
from bot.sdk import IdFormat
from bot.sdk.models import JobRef, Status
from bot.sdk.provider import Simulation
from bot.sdk.testing import ManualClock, ProviderContract, ProviderHarness
from plugins.http import HttpJobs
from plugins.http.settings import HttpSettings
from plugins.http.translator import translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DATA = Path(__file__).parent / "data"
PAGE = (Path(__file__).parents[3] / "docs/providers/http.md").read_text("utf-8")
TABLES = [tomllib.loads(block.split("```")[0]) for block in PAGE.split("```toml\n")[1:]]
DOCUMENTED: dict[str, Any] = TABLES[0]["connections"]["analytics"]
RECORDED = json.loads((DATA / "nebula_job.json").read_text())
TOKEN = "eyJhbxxx"
JOBS: web.AppKey[dict[str, Any]] = web.AppKey("jobs", dict)
NUMBERS = count(2001)


@pytest.fixture(autouse=True)
def _working_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Change to the data folder: the page uses a bare file name."""
    monkeypatch.chdir(DATA)


def settings(**changes: Any) -> HttpSettings:
    """Return the documented settings, with the secret that the page omits."""
    table = {key: value for key, value in DOCUMENTED.items() if key != "provider"}
    return HttpSettings.model_validate({**table, "token": TOKEN, **changes})


def test_documented_settings_read_every_value() -> None:
    """Name, kind, status, tasks, and times in milliseconds and with an offset."""
    job = translate(JobRef(connection="analytics", id="1964"), RECORDED, settings())
    assert (job.name, job.type) == ("workflow_xkkjf_20220712103332", "workflow_xkkjf")
    assert (job.status, job.native_status) == (Status.SUCCEEDED, "2")
    assert job.created_at == datetime(2022, 7, 12, 2, 33, 32, 505_000, tzinfo=UTC)
    assert job.started_at == datetime(2022, 7, 12, 2, 33, 35, tzinfo=UTC)
    assert job.finished_at == datetime(2022, 7, 12, 2, 33, 38, tzinfo=UTC)
    (task,) = job.tasks
    assert (task.id, task.name) == ("f93dea90fc3a11ecac7e6da0662c195b", "BFS")
    assert (task.status, task.native_status) == (Status.SUCCEEDED, "2")
    assert (task.started_at, task.finished_at) == (job.started_at, job.finished_at)


def test_documented_settings_lack_only_the_secret() -> None:
    """Copied settings work."""
    assert DOCUMENTED["provider"] == HttpJobs.kind
    assert settings().example == "nebula_job.json"


@pytest.mark.anyio
async def test_documented_settings_pass_the_self_test() -> None:
    """The bot starts with copied settings."""
    assert (
        await Connection(HttpJobs("analytics", settings(), ManualClock())).validate_settings() == []
    )


def nebula() -> web.Application:
    """Return an app that responds like Nebula: error codes with HTTP 200."""
    app = web.Application()
    app[JOBS] = {}

    async def show(request: web.Request) -> web.Response:
        if request.headers.get("Cookie") != f"explorer_token={TOKEN}":
            return web.json_response({"code": 40104001, "message": "ErrSession"})
        found = app[JOBS].get(request.match_info["id"])
        gone = {"code": 40404000, "message": "ErrNotFound"}
        return web.json_response({**RECORDED, "data": found} if found else gone)

    app.router.add_get("/api-open/v1/jobs/{id}", show)
    return app


class NebulaBySettings(HttpJobs):
    """Provides as class attributes what the documented settings define."""

    title = DOCUMENTED["title"]
    statuses: ClassVar[Mapping[str, Status]] = {
        word: Status(ours) for word, ours in DOCUMENTED["statuses"].items()
    }
    id_format = IdFormat(example=DOCUMENTED["example_id"])


class TestNebulaBySettingsConformance(ProviderContract):
    """A declared provider passes the same suite as a coded one."""

    provider = NebulaBySettings
    unknown_id = "404"
    time_formats = ("Z", "+08:00", "-03:30", "s", "ms", "")

    def simulation(self, clock: ManualClock) -> Simulation:
        del clock

        def table(url: str) -> dict[str, Any]:
            address = DOCUMENTED["url"].replace("http://192.168.8.145:7002", url)
            return {**DOCUMENTED, "token": TOKEN, "url": address}

        return Simulation(nebula(), table, ())

    def put(
        self, app: web.Application, native: str, *, name: str = "deploy", tasks: int = 1
    ) -> str:
        id_ = str(next(NUMBERS))
        status = int(native) if native.isdecimal() else native
        task = RECORDED["data"]["tasks"][0] | {"status": status}
        items = [task | {"id": f"{number:032x}"} for number in range(tasks)]
        job = {"id": int(id_), "name": name, "status": status, "tasks": items}
        app[JOBS][id_] = RECORDED["data"] | job
        return id_

    def urls(self, bench: ProviderHarness, id_: str) -> Iterable[str]:
        yield bench.provider.settings.url.replace("{id}", id_)

    async def test_check_describes_the_example(self, bench: ProviderHarness) -> None:
        """It also reports that the API responds and has no job 0."""
        url = bench.provider.settings.url.split("/api-open")[0]
        assert await bench.provider.check() == (
            f"NebulaGraph Explorer answers at {url}. It knows no job 0, as it should. "
            "In nebula_job.json: Found: status ('2': succeeded), name, type, created, started, "
            "finished, tasks (1), task_status, task_id, task_name, task_started, task_finished."
        )
