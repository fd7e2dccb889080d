"""Socket Mode: tickets, connections, envelopes and their acknowledgements."""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from aiohttp import WSMsgType, web

from bot.playground.changes import Change, Kind
from bot.playground.envelopes import Ack, Envelope
from bot.playground.faults import Trouble

if TYPE_CHECKING:
    from bot.playground.faults import Faults
    from bot.playground.messages import Json
    from bot.playground.workspace import Workspace

_MOST_CONNECTIONS = 10  # https://docs.slack.dev/apis/events-api/using-socket-mode
_LIFETIME_SECONDS = 18_060


@dataclass(eq=False, slots=True)
class Connection:
    """One open WebSocket of the app."""

    socket: web.WebSocketResponse
    request: web.Request
    leaving: bool = False  # told to go: gets no new envelopes
    waiting: dict[str, asyncio.Future[Json]] = field(default_factory=dict)  # by envelope id


class Sockets:
    """The app's connections; each envelope goes to one of them, in turn."""

    def __init__(
        self, workspace: Workspace, faults: Faults, *, ack_seconds: float, ping_seconds: float
    ) -> None:
        self._workspace = workspace
        self._faults = faults
        self._ack_seconds = ack_seconds
        self._ping_seconds = ping_seconds
        self._tickets: set[str] = set()
        self._connections: list[Connection] = []
        self._turn = 0
        self.envelopes: list[Envelope] = []  # everything that was sent, in order

    @property
    def count(self) -> int:
        """Return how many connections take envelopes."""
        return len(self._open())

    def ticket(self) -> str:
        """Return a WebSocket address that opens one connection, once."""
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        address = self._workspace.address.replace("http", "ws", 1)
        return f"{address}link/?ticket={ticket}&app_id={self._workspace.app.id}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Hold one connection until it ends."""
        if not self._admitted(request):
            return web.Response(status=401, text="This ticket was used, or was never given out.")
        socket = web.WebSocketResponse(heartbeat=self._ping_seconds)
        await socket.prepare(request)
        connection = Connection(socket, request)
        await self._greet(connection)
        try:
            await self._listen(connection)
        finally:
            self._forget(connection)
        return socket

    async def carry(self, envelope: Envelope) -> Ack:
        """Send the envelope to one connection and wait for its acknowledgement."""
        connection = self._next()
        if connection is None:
            return Ack(error="dispatch_failed", reason="connection_failed")
        self.envelopes.append(envelope)
        id_ = str(uuid4())
        answer = asyncio.get_running_loop().create_future()
        connection.waiting[id_] = answer
        try:
            async with asyncio.timeout(self._ack_seconds):
                if not self._faults.take(Trouble.SWALLOW, envelope.kind):
                    await connection.socket.send_str(json.dumps(envelope.wire(id_)))
                return Ack(payload=(await answer).get("payload"))
        except (TimeoutError, ConnectionError):
            return Ack(error="operation_timeout", reason="timeout")
        finally:
            connection.waiting.pop(id_, None)

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Tell every connection to go: refresh_requested, warning or link_disabled."""
        for connection in tuple(self._connections):
            # A warning comes ahead of the end; until then envelopes keep coming.
            connection.leaving = reason != "warning"
            note = {"type": "disconnect", "reason": reason, "debug_info": _debug(self.count)}
            await connection.socket.send_str(json.dumps(note))
            if reason == "link_disabled":
                await connection.socket.close()
        self._tell()

    def cut(self) -> None:
        """Break every connection with no word of it."""
        for connection in tuple(self._connections):
            if connection.request.transport:
                connection.request.transport.abort()

    async def close(self) -> None:
        """Close every connection for good."""
        for connection in tuple(self._connections):
            await connection.socket.close()

    def _admitted(self, request: web.Request) -> bool:
        ticket = request.query.get("ticket", "")
        known = ticket in self._tickets
        self._tickets.discard(ticket)
        return known and not self._faults.take(Trouble.REFUSE_SOCKET, "socket")

    async def _greet(self, connection: Connection) -> None:
        if len(self._connections) >= _MOST_CONNECTIONS:
            note = {"type": "disconnect", "reason": "too_many_websockets"}
            await connection.socket.send_str(json.dumps(note))
            await connection.socket.close()
            return
        self._connections.append(connection)
        await connection.socket.send_str(json.dumps(self._hello()))
        self._tell()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": self.count,
            "debug_info": _debug(self.count),
            "connection_info": {"app_id": self._workspace.app.id},
        }

    async def _listen(self, connection: Connection) -> None:
        async for frame in connection.socket:
            if frame.type is WSMsgType.TEXT:
                _acknowledge(connection, frame.data)

    def _forget(self, connection: Connection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)
            for answer in connection.waiting.values():
                if not answer.done():
                    answer.set_exception(ConnectionResetError("The connection ended."))
            self._tell()

    def _open(self) -> list[Connection]:
        return [c for c in self._connections if not c.leaving and not c.socket.closed]

    def _next(self) -> Connection | None:
        candidates = self._open()
        if not candidates:
            return None
        self._turn += 1
        return candidates[self._turn % len(candidates)]

    def _tell(self) -> None:
        self._workspace.changes.tell(Change(Kind.CONNECTED, connected=self.count > 0))


def _acknowledge(connection: Connection, text: str) -> None:
    try:
        given: Any = json.loads(text)
    except ValueError:
        return
    answer = connection.waiting.get(given.get("envelope_id", ""))
    if answer and not answer.done():
        answer.set_result(given)


def _debug(number: int) -> Json:
    return {
        "host": "applink-playground",
        "build_number": number,
        "approximate_connection_time": _LIFETIME_SECONDS,
    }
