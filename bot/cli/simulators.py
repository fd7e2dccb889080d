"""The providers' simulators, served on loopback, and the settings that reach them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from bot.clock import Clock
    from bot.providers.provider import Provider, Sample, Simulation

HOST = "127.0.0.1"


class QuickClock:
    """A clock that runs faster than its base, from now on; waiting is shorter accordingly."""

    def __init__(self, base: Clock, speed: float) -> None:
        self._base = base
        self._start = base.now()
        self._speed = speed

    def now(self) -> datetime:
        """Return the moment that this clock shows."""
        return self._start + (self._base.now() - self._start) * self._speed

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds of this clock."""
        await self._base.sleep(seconds / self._speed)


@dataclass(frozen=True)
class Simulated:
    """One simulator that is being served: the connection's name, its settings, jobs to try."""

    name: str
    settings: Mapping[str, str | int | bool]
    samples: tuple[Sample, ...]


class Simulators:
    """Serves a simulator for each provider that has one, on a port of its own."""

    def __init__(self, kinds: Iterable[type[Provider[Any]]], clock: Clock) -> None:
        self._kinds = list(kinds)
        self._clock = clock
        self._runners: list[web.AppRunner] = []
        self._console = ""  # its address
        self.running: list[Simulated] = []

    async def __aenter__(self) -> Self:
        """Begin to serve all of them, and a console for the jobs' buttons to open."""
        self._console = await self._listen(_console())
        for provider in self._kinds:
            simulation = provider.simulator(self._clock)
            if simulation is not None:
                self.running.append(await self._serve(provider, simulation))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop to serve."""
        for runner in self._runners:
            await runner.cleanup()

    async def _serve(self, provider: type[Provider[Any]], simulation: Simulation) -> Simulated:
        name = provider.example_name or provider.kind
        settings = dict(simulation.settings(await self._listen(simulation.app)))
        if "console_url" in provider.Settings.model_fields:
            settings.setdefault("console_url", f"{self._console}/{name}/{{id}}")
        return Simulated(name, settings, simulation.samples)

    async def _listen(self, app: web.Application) -> str:
        """Serve an app on a port of its own; return its address."""
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1, handler_cancellation=True)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, HOST, 0).start()
        return f"http://{HOST}:{runner.addresses[0][1]}"


def _console() -> web.Application:
    """Return a page for every job, where a real provider has its console."""

    async def page(request: web.Request) -> web.Response:
        name, job = request.match_info["name"], request.match_info["job"]
        return web.Response(text=f"The console of {name}, simulated.\n\nJob {job}\n")

    app = web.Application()
    app.router.add_get("/{name}/{job:.+}", page)
    return app


def as_toml(simulated: Iterable[Simulated]) -> str:
    """Return the tables of jobthread.toml that reach the simulators."""
    return "\n".join(_table(each) for each in simulated)


def _table(simulated: Simulated) -> str:
    lines = [f"{key} = {_value(value)}" for key, value in simulated.settings.items()]
    return "\n".join([f"[connections.{simulated.name}]", *lines, ""])


def _value(value: object) -> str:
    """Return a plain value as TOML writes it, which for these is as JSON does."""
    return json.dumps(value, ensure_ascii=False)
