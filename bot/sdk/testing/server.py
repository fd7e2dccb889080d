"""Serves simulators on loopback and connects providers to them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.sdk.http import Http

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bot.sdk.clock import Clock
    from bot.sdk.provider import Provider


@asynccontextmanager
async def serve(app: web.Application) -> AsyncIterator[str]:
    """Serve the app on a free port of 127.0.0.1; yield its URL, such as http://127.0.0.1:40123."""
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def connected(
    kind: type[Provider[Any]],
    settings: Mapping[str, Any],
    clock: Clock,
    *,
    name: str = "acme",
    **endpoint: Any,
) -> AsyncIterator[Provider[Any]]:
    """Yield a provider with its HTTP client; `settings` is its table in `jobthread.toml`.

    `endpoint` replaces fields of the provider's `Endpoint`, such as `timeout_seconds`.
    """
    fields = {key: value for key, value in settings.items() if key != "provider"}
    provider = kind(name, kind.Settings.model_validate(fields), clock)
    provider.http = Http(name, replace(provider.connect(), **endpoint))
    try:
        yield provider
    finally:
        await provider.http.close()
