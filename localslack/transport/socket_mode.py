"""Socket Mode server: URLs, connections, envelopes and their acknowledgements."""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from aiohttp import WSMsgType, web

from localslack.state.events import EventKind, WorkspaceEvent
from localslack.state.faults import FaultKind
from localslack.transport.envelopes import Ack, Envelope

if TYPE_CHECKING:
    from localslack.state.faults import Faults
    from localslack.state.messages import Json
    from localslack.state.workspace import Workspace

_MAX_CONNECTIONS = 10  # https://docs.slack.dev/apis/events-api/using-socket-mode
_LIFETIME_SECONDS = 18_060


@dataclass(eq=False, slots=True)
class Connection:
    """One WebSocket connection of the app."""

    socket: web.WebSocketResponse
    request: web.Request
    disconnecting: bool = False  # was sent `disconnect`: gets no new envelopes
    pending: dict[str, asyncio.Future[Json]] = field(default_factory=dict)  # by envelope id


class SocketModeServer:
    """The app's connections; envelopes go to them round-robin."""

    def __init__(
        self, workspace: Workspace, faults: Faults, *, ack_seconds: float, ping_seconds: float
    ) -> None:
        self._workspace = workspace
        self._faults = faults
        self._ack_seconds = ack_seconds
        self._ping_seconds = ping_seconds
        self._tickets: set[str] = set()
        self._connections: list[Connection] = []
        self._next_index = 0
        self.envelopes: list[Envelope] = []  # every envelope sent, in order

    @property
    def count(self) -> int:
        """Return the number of connections that accept envelopes."""
        return len(self._available())

    def issue_url(self) -> str:
        """Return a WebSocket URL with a one-time ticket."""
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        base = self._workspace.address.replace("http", "ws", 1)
        return f"{base}link/?ticket={ticket}&app_id={self._workspace.app.id}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it ends."""
        if not self._redeem_ticket(request):
            return web.Response(status=401, text="This ticket was used or never issued.")
        socket = web.WebSocketResponse(heartbeat=self._ping_seconds)
        await socket.prepare(request)
        connection = Connection(socket, request)
        await self._register(connection)
        try:
            await self._receive(connection)
        finally:
            self._unregister(connection)
        return socket

    async def deliver(self, envelope: Envelope) -> Ack:
        """Send the envelope to one connection and wait for its acknowledgement."""
        connection = self._next_connection()
        if connection is None:
            return Ack(error="dispatch_failed", reason="connection_failed")
        self.envelopes.append(envelope)
        id_ = str(uuid4())
        future = asyncio.get_running_loop().create_future()
        connection.pending[id_] = future
        try:
            async with asyncio.timeout(self._ack_seconds):
                if not self._faults.consume(FaultKind.DROP_ENVELOPE, envelope.kind):
                    await connection.socket.send_str(json.dumps(envelope.socket_mode_message(id_)))
                return Ack(payload=(await future).get("payload"))
        except (TimeoutError, ConnectionError):
            return Ack(error="operation_timeout", reason="timeout")
        finally:
            connection.pending.pop(id_, None)

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Send `disconnect` to every connection: refresh_requested, warning or link_disabled."""
        for connection in tuple(self._connections):
            # After a warning, envelopes are still sent until the connection ends.
            connection.disconnecting = reason != "warning"
            note = {"type": "disconnect", "reason": reason, "debug_info": _debug_info(self.count)}
            await connection.socket.send_str(json.dumps(note))
            if reason == "link_disabled":
                await connection.socket.close()
        self._publish()

    def cut(self) -> None:
        """Abort every connection without notice."""
        for connection in tuple(self._connections):
            if connection.request.transport:
                connection.request.transport.abort()

    async def close(self) -> None:
        """Close every connection."""
        for connection in tuple(self._connections):
            await connection.socket.close()

    def _redeem_ticket(self, request: web.Request) -> bool:
        ticket = request.query.get("ticket", "")
        known = ticket in self._tickets
        self._tickets.discard(ticket)
        return known and not self._faults.consume(FaultKind.REFUSE_SOCKET, "socket")

    async def _register(self, connection: Connection) -> None:
        if len(self._connections) >= _MAX_CONNECTIONS:
            note = {"type": "disconnect", "reason": "too_many_websockets"}
            await connection.socket.send_str(json.dumps(note))
            await connection.socket.close()
            return
        self._connections.append(connection)
        await connection.socket.send_str(json.dumps(self._hello()))
        self._publish()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": self.count,
            "debug_info": _debug_info(self.count),
            "connection_info": {"app_id": self._workspace.app.id},
        }

    async def _receive(self, connection: Connection) -> None:
        async for frame in connection.socket:
            if frame.type is WSMsgType.TEXT:
                _acknowledge(connection, frame.data)

    def _unregister(self, connection: Connection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)
            for future in connection.pending.values():
                if not future.done():
                    future.set_exception(ConnectionResetError("The connection ended."))
            self._publish()

    def _available(self) -> list[Connection]:
        return [c for c in self._connections if not c.disconnecting and not c.socket.closed]

    def _next_connection(self) -> Connection | None:
        candidates = self._available()
        if not candidates:
            return None
        self._next_index += 1
        return candidates[self._next_index % len(candidates)]

    def _publish(self) -> None:
        self._workspace.events.publish(
            WorkspaceEvent(EventKind.CONNECTION_CHANGED, connected=self.count > 0)
        )


def _acknowledge(connection: Connection, text: str) -> None:
    try:
        message: Any = json.loads(text)
    except ValueError:
        return
    future = connection.pending.get(message.get("envelope_id", ""))
    if future and not future.done():
        future.set_result(message)


def _debug_info(number: int) -> Json:
    return {
        "host": "applink-local-slack",
        "build_number": number,
        "approximate_connection_time": _LIFETIME_SECONDS,
    }
