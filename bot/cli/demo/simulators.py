"""Serves provider simulators on loopback; returns the settings that connect to them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from bot.sdk.clock import Clock
    from bot.sdk.provider import Provider, Sample, Simulation

HOST = "127.0.0.1"


class ScaledClock:
    """A clock that runs faster than its base by a factor, starting now."""

    def __init__(self, base: Clock, speed: float) -> None:
        self._base = base
        self._start = base.now()
        self._started_at = base.monotonic()
        self._speed = speed

    def now(self) -> datetime:
        """Return the time of this clock."""
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Return the seconds of this clock since its start."""
        return (self._base.monotonic() - self._started_at) * self._speed

    async def sleep(self, seconds: float) -> None:
        """Wait for this many seconds of this clock."""
        await self._base.sleep(seconds / self._speed)


@dataclass(frozen=True)
class Simulated:
    """One running simulator: its connection's name and settings, and sample jobs."""

    name: str
    settings: Mapping[str, str | int | bool]
    samples: tuple[Sample, ...]


class Simulators:
    """Serves a simulator for each provider that has one, each on its own port."""

    def __init__(self, kinds: Iterable[type[Provider[Any]]], clock: Clock) -> None:
        self._kinds = list(kinds)
        self._clock = clock
        self._runners: list[web.AppRunner] = []
        self._console = ""  # its URL
        self.running: list[Simulated] = []

    async def __aenter__(self) -> Self:
        """Start all simulators, and a console page that the jobs' buttons open."""
        self._console = await self._listen(_console())
        for provider in self._kinds:
            simulation = provider.simulator(self._clock)
            if simulation is not None:
                self.running.append(await self._serve(provider, simulation))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop all servers."""
        for runner in self._runners:
            await runner.cleanup()

    async def _serve(self, provider: type[Provider[Any]], simulation: Simulation) -> Simulated:
        name = provider.example_name or provider.kind
        settings = dict(simulation.settings(await self._listen(simulation.app)))
        if "console_url" in provider.Settings.model_fields:
            settings.setdefault("console_url", f"{self._console}/{name}/{{id}}")
        return Simulated(name, settings, simulation.samples)

    async def _listen(self, app: web.Application) -> str:
        """Serve an app on its own port; return its URL."""
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1, handler_cancellation=True)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, HOST, 0).start()
        return f"http://{HOST}:{runner.addresses[0][1]}"


def _console() -> web.Application:
    """Return an app with a page for every job, in place of a provider's console."""

    async def page(request: web.Request) -> web.Response:
        name, job = request.match_info["name"], request.match_info["job"]
        return web.Response(text=f"The console of {name}, simulated.\n\nJob {job}\n")

    app = web.Application()
    app.router.add_get("/{name}/{job:.+}", page)
    return app


def as_toml(simulated: Iterable[Simulated]) -> str:
    """Return the tables of jobthread.toml that connect to the simulators."""
    return "\n".join(_table(each) for each in simulated)


def _table(simulated: Simulated) -> str:
    lines = [f"{key} = {_value(value)}" for key, value in simulated.settings.items()]
    return "\n".join([f"[connections.{simulated.name}]", *lines, ""])


def _value(value: object) -> str:
    """Return a plain value in TOML, which equals JSON for these types."""
    return json.dumps(value, ensure_ascii=False)
