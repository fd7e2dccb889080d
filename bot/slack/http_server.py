"""HTTP server: health, status, metrics, and Slack's requests in HTTP mode."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request

from bot import status
from bot.sdk.errors import SettingsError, StoreError
from bot.slack import metrics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from slack_bolt.async_app import AsyncApp

    from bot.settings import WebSettings
    from bot.status import LiveStatus, StoredStatus

log = logging.getLogger(__name__)

EVENTS_PATH = "/slack/events"  # for events, commands and interactions
HEALTH_PATH = "/healthz"
STATUS_PATH = "/status"
METRICS_PATH = "/metrics"
DEFAULT_PORT = 8080
MAX_REQUEST_BYTES = 1024 * 1024  # bytes


class HttpServer:
    """HTTP server on one port; `app` is None in Socket Mode, where Slack sends no HTTP requests."""

    def __init__(
        self,
        settings: WebSettings,
        app: AsyncApp | None,
        healthy: Callable[[], Awaitable[bool]],
        status: Callable[[], Awaitable[tuple[StoredStatus, LiveStatus]]],
    ) -> None:
        self._settings = settings
        self._app = app
        self._healthy = healthy
        self._get_status = status
        self._runner: web.AppRunner | None = None

    @property
    def enabled(self) -> bool:
        """Whether the server is needed: in HTTP mode, or with a port in the settings."""
        return self._app is not None or self._settings.port is not None

    async def open(self) -> None:
        """Start listening; raises SettingsError."""
        site = web.Application(client_max_size=MAX_REQUEST_BYTES)
        site.router.add_get(HEALTH_PATH, self._health)
        site.router.add_get(STATUS_PATH, self._status)
        site.router.add_get(METRICS_PATH, self._metrics)
        if self._app is not None:
            site.router.add_post(EVENTS_PATH, self._events)
        self._runner = web.AppRunner(site, access_log=None, shutdown_timeout=3)
        await self._runner.setup()
        host, port = self._settings.host, listen_port(self._settings)
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self._runner.cleanup()
            why = os.strerror(error.errno) if error.errno else type(error).__name__
            problem = (
                f"web.host, web.port: {host}:{port} cannot be listened on ({why}): choose others."
            )
            raise SettingsError([problem]) from error

    @property
    def port(self) -> int:
        """The listening port, 0 before `open`."""
        return int(self._runner.addresses[0][1]) if self._runner else 0

    async def close(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _health(self, request: web.Request) -> web.Response:
        del request
        try:
            healthy = await self._healthy()
        except StoreError as error:
            log.warning("health check failed: %s", error)
            healthy = False
        return web.json_response({"ok": healthy}, status=200 if healthy else 503)

    async def _status(self, request: web.Request) -> web.Response:
        del request
        try:
            return web.json_response(status.as_json(*await self._get_status()))
        except StoreError as error:
            return web.json_response({"error": error.sentence}, status=503)

    async def _metrics(self, request: web.Request) -> web.Response:
        accept = request.headers.get("Accept", "")
        try:
            body, content_type = metrics.exposition(*await self._get_status(), accept)
        except StoreError:
            return web.Response(status=503)
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def _events(self, request: web.Request) -> web.Response:
        """Pass a request to Bolt, which verifies its signature."""
        assert self._app is not None  # noqa: S101  this route exists in HTTP mode only
        answer = await self._app.async_dispatch(await to_bolt_request(request))
        return await to_aiohttp_response(answer)


def listen_port(settings: WebSettings) -> int:
    """Return the port to listen on."""
    return DEFAULT_PORT if settings.port is None else settings.port


def status_url(settings: WebSettings) -> str:
    """Return the status URL on this machine, also for a server that listens on all addresses."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    bracketed = f"[{host}]" if ":" in host else host
    return f"http://{bracketed}:{listen_port(settings)}{STATUS_PATH}"
