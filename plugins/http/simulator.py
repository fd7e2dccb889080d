"""Simulator of a small JSON API of builds, for trying the declarative provider."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from aiohttp import web

from bot.sdk import Clock, Sample, Simulation
from bot.sdk.testing import Faults
from plugins.http.samples import MISSING_BUILD, SAMPLES
from plugins.http.script import BuildScript, answer

if TYPE_CHECKING:
    from datetime import datetime

    from aiohttp.typedefs import Handler


TOKEN = "simulated-token-of-the-builds"  # noqa: S105  valid for this simulator only

SETTINGS: dict[str, str | int | bool] = {  # the whole description, apart from the address
    "provider": "http",
    "title": "Acme Builds",
    "auth": "bearer",
    "token": TOKEN,
    "id_pattern": "build-[0-9]+",
    "example_id": "build-1041",
    "check_id": "build-1041",
    "status": "build.state",
    "name": "build.title",
    "type": "build.trigger",
    "created": "build.queued_at",
    "started": "build.started_at",
    "finished": "build.finished_at",
    "tasks": "build.steps",
    "task_id": "number",
    "task_name": "name",
    "task_status": "state",
    "task_started": "started_at",
    "task_finished": "finished_at",
    "task_message": "output",
}


class Simulator:
    """Serves builds; each starts when it is first requested."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.app = web.Application(middlewares=[_authenticate])
        self.app[SIMULATOR] = self
        self.faults = Faults.of(self.app, clock)
        self.app.router.add_get("/api/builds/{id}", self._show)
        self._builds: dict[str, BuildScript] = {}
        self._began: dict[str, datetime] = {}

    def add(self, build: BuildScript) -> str:
        """Add a build, and return its id."""
        self._builds[build.id] = build
        return build.id

    async def _show(self, request: web.Request) -> web.Response:
        build = self._builds.get(request.match_info["id"])
        if build is None:
            return web.json_response({"error": "There is no such build."}, status=404)
        now = self.clock.now()
        began = self._began.setdefault(build.id, now - timedelta(seconds=build.began_seconds_ago))
        return web.json_response(answer(build, began, now))


SIMULATOR: web.AppKey[Simulator] = web.AppKey("simulator", Simulator)


@web.middleware
async def _authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        return web.json_response({"error": "Who are you?"}, status=401)
    return await handler(request)


def simulation(clock: Clock) -> Simulation:
    """Return a simulator with the samples, and the settings that connect to it."""
    simulator = Simulator(clock)
    for sample in SAMPLES:
        simulator.add(sample.build)
    offered = tuple(Sample(sample.title, sample.build.id, sample.hint) for sample in SAMPLES)

    def settings(url: str) -> dict[str, str | int | bool]:
        return {**SETTINGS, "url": f"{url}/api/builds/{{id}}"}

    return Simulation(simulator.app, settings, (*offered, MISSING_BUILD))
