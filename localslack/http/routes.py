"""HTTP routes and request guard of the local Slack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from localslack.state.errors import SlackApiError
from localslack.state.faults import FaultKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from localslack.api.response_urls import ResponseUrls
    from localslack.http.fault_injection import FaultInjector
    from localslack.http.page import Page
    from localslack.http.web_api import WebApi
    from localslack.state.faults import Faults
    from localslack.transport.socket_mode import SocketModeServer

_CONTENT_POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
RESPONSE_URL_METHOD = "response_url"  # its method name in faults
_LARGEST_BODY = 4 * 1024 * 1024  # bytes


class Routes:
    """Builds the web application of a local Slack."""

    def __init__(  # all components that have a route
        self,
        api: WebApi,
        sockets: SocketModeServer,
        page: Page,
        responses: ResponseUrls,
        injector: FaultInjector,
        faults: Faults,
    ) -> None:
        self._api = api
        self._sockets = sockets
        self._page = page
        self._responses = responses
        self._injector = injector
        self._faults = faults

    def application(self) -> web.Application:
        """Return the application, ready to be served."""
        application = web.Application(
            middlewares=[_check_host_and_origin], client_max_size=_LARGEST_BODY
        )
        application.add_routes(
            [
                web.route("*", "/api/{method}", self._api.serve),
                web.get("/link/", self._sockets.serve),
                web.post("/respond/{team}/{secret}", self._respond),
                web.post("/faults", self._fault),
                *self._page.routes(),
            ]
        )
        application.on_response_prepare.append(_add_security_headers)
        return application

    async def _respond(self, request: web.Request) -> web.Response:
        """Handle a POST to a response_url. Faults address it as the method RESPONSE_URL."""
        faults = self._faults
        if limited := faults.consume(FaultKind.RATE_LIMIT, RESPONSE_URL_METHOD):
            return web.Response(status=429, headers={"Retry-After": str(limited.retry_after)})
        if broken := faults.consume(FaultKind.FAIL_BEFORE, RESPONSE_URL_METHOD):
            return web.Response(status=broken.status)
        response = await self._handle_response_url(request)
        if faults.consume(FaultKind.LOSE_ANSWER, RESPONSE_URL_METHOD) and request.transport:
            request.transport.abort()
        broken = faults.consume(FaultKind.FAIL_AFTER, RESPONSE_URL_METHOD)
        return web.Response(status=broken.status) if broken else response

    async def _handle_response_url(self, request: web.Request) -> web.Response:
        try:
            self._responses.receive(request.path.lstrip("/"), await request.text())
        except SlackApiError as error:
            status = error.status if error.status != 200 else 400
            return web.json_response(error.as_slack(), status=status)
        return web.Response(text="ok")

    async def _fault(self, request: web.Request) -> web.Response:
        """Plan or inject a fault: `{"fault": "rate_limit", "method": "chat.postMessage"}`."""
        body = await request.json()
        name = body.pop("fault", "") if isinstance(body, dict) else ""
        try:
            await self._injector.inject(name, body)
        except (LookupError, TypeError) as error:
            return web.json_response({"ok": False, "error": str(error)}, status=400)
        return web.json_response({"ok": True})


@web.middleware
async def _check_host_and_origin(
    request: web.Request,
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],  # aiohttp passes it by name
) -> web.StreamResponse:
    own = {f"{name}:{_port(request)}" for name in ("127.0.0.1", "localhost")}
    # A foreign Host is how a web page would reach this server by DNS rebinding.
    if request.host not in own:
        raise web.HTTPForbidden(text="The local Slack answers to 127.0.0.1 only.")
    origin = request.headers.get("Origin")
    if origin is not None and origin not in {f"http://{host}" for host in own}:
        raise web.HTTPForbidden(text="Another site may not use the local Slack.")
    return await handler(request)


def _port(request: web.Request) -> int:
    address = request.transport.get_extra_info("sockname") if request.transport else None
    return address[1] if address else 0


async def _add_security_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers["Content-Security-Policy"] = _CONTENT_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
