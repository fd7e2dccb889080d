"""Web server on a loopback address."""

from __future__ import annotations

from aiohttp import web

HOST = "127.0.0.1"


class WebServer:
    """Serves one application on loopback, from `start` to `stop`."""

    def __init__(self, port: int) -> None:
        self._port = port  # 0: any free one
        self._runner: web.AppRunner | None = None

    async def start(self, application: web.Application) -> str:
        """Serve the application and return its URL, with a trailing slash."""
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self._port).start()
        port = self._runner.addresses[0][1]
        return f"http://{HOST}:{port}/"

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._runner:
            await self._runner.cleanup()
