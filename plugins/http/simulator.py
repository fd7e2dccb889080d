"""A small JSON API of builds, simulated: what the kind without code can be tried on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from aiohttp import web

from bot.providers.provider import Sample, Simulation
from bot.testing.faults import Faults
from plugins.http.samples import NOT_A_BUILD, SAMPLES
from plugins.http.script import BuildScript, answer

if TYPE_CHECKING:
    from datetime import datetime

    from aiohttp.typedefs import Handler

    from bot.clock import Clock

TOKEN = "simulated-token-of-the-builds"  # noqa: S105  it opens nothing but this simulator

SETTINGS: dict[str, str | int | bool] = {  # beside the address: this is all that describes it
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
    """Holds builds and answers for them; each begins when it is first asked for."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.app = web.Application(middlewares=[_signed_in])
        self.app[SIMULATOR] = self
        self.faults = Faults.of(self.app, clock)
        self.app.router.add_get("/api/builds/{id}", self._show)
        self._builds: dict[str, BuildScript] = {}
        self._began: dict[str, datetime] = {}

    def add(self, build: BuildScript) -> str:
        """Hold a build, and return its id."""
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
async def _signed_in(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        return web.json_response({"error": "Who are you?"}, status=401)
    return await handler(request)


def simulation(clock: Clock) -> Simulation:
    """Return a simulator that holds the samples, with settings that reach it."""
    simulator = Simulator(clock)
    for sample in SAMPLES:
        simulator.add(sample.build)
    offered = tuple(Sample(sample.title, sample.build.id, sample.hint) for sample in SAMPLES)

    def settings(url: str) -> dict[str, str | int | bool]:
        return {**SETTINGS, "url": f"{url}/api/builds/{{id}}"}

    return Simulation(simulator.app, settings, (*offered, NOT_A_BUILD))
