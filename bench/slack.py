"""The Slack end: Socket Mode, the few methods that are called, and a stopwatch; little else.

It answers every app alike and looks into nothing, so that its own cost is small and the same for
whatever is measured.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from itertools import count, cycle
from typing import TYPE_CHECKING, Any, Self

from aiohttp import WSMsgType, web

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "127.0.0.1"
CHANNELS = 200
TIMEOUT_SECONDS = 60.0  # with one command
CONNECT_METHODS = frozenset(
    {"auth.test", "apps.connections.open"}
)  # calls of the connection itself
TEAM, BOT = "T0BENCH", "U0BOT"


@dataclass
class Exchange:
    """One command and its answer; times in seconds of `time.perf_counter`."""

    due_at: float  # when it was to be sent
    acked_at: float = 0.0
    posted_at: float = 0.0
    acked: asyncio.Event = field(default_factory=asyncio.Event)
    posted: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def ack_ms(self) -> float:
        """How long it took to be acknowledged."""
        return (self.acked_at - self.due_at) * 1_000

    @property
    def post_ms(self) -> float:
        """How long it took until its answer was posted."""
        return (self.posted_at - self.due_at) * 1_000


class Slack:
    """One app's Slack on loopback; `latency_seconds` go by before a call is answered."""

    def __init__(self) -> None:
        self.latency_seconds = 0.0
        self.calls: Counter[str] = Counter()
        self.connected_at = 0.0
        self.url = ""
        self._connected = asyncio.Event()
        self._socket: web.WebSocketResponse | None = None
        self._runner: web.AppRunner | None = None
        self._unacked: dict[str, Exchange] = {}
        self._unposted: defaultdict[str, deque[Exchange]] = defaultdict(deque)
        self._ids = count(1)
        self._channels = cycle([f"C{number:07d}" for number in range(CHANNELS)])

    async def __aenter__(self) -> Self:
        """Start to serve."""
        site = web.Application()
        site.router.add_post("/api/{method}", self._call)
        site.router.add_post("/respond", self._respond)
        site.router.add_get("/link", self._link)
        self._runner = web.AppRunner(site, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        self.url = f"http://{HOST}:{self._runner.addresses[0][1]}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop to serve."""
        if self._socket:
            await self._socket.close()
        if self._runner:
            await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        """Return the Web API's address."""
        return f"{self.url}api/"

    @property
    def answers(self) -> int:
        """Return how many calls were made since the app was connected."""
        return sum(n for method, n in self.calls.items() if method not in CONNECT_METHODS)

    async def connected(self) -> float:
        """Wait until the app is connected; return when it was."""
        await self._connected.wait()
        return self.connected_at

    async def send_command(self, text: str, due_at: float | None = None) -> Exchange:
        """Send a command from the next channel; return once its answer is posted."""
        assert self._socket
        exchange = Exchange(time.perf_counter() if due_at is None else due_at)
        number, channel = next(self._ids), next(self._channels)
        self._unacked[str(number)] = exchange
        self._unposted[channel].append(exchange)
        await self._socket.send_str(self._envelope(number, channel, text))
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await exchange.posted.wait()
            await exchange.acked.wait()
        return exchange

    def _envelope(self, number: int, channel: str, text: str) -> str:
        payload = {
            "token": "bench",
            "team_id": TEAM,
            "team_domain": "bench",
            "channel_id": channel,
            "channel_name": channel.lower(),
            "user_id": "U0ADA",
            "user_name": "ada",
            "command": "/job",
            "text": text,
            "api_app_id": "A0BENCH",
            "is_enterprise_install": "false",
            "response_url": f"{self.url}respond",
            "trigger_id": f"{number}.bench",
        }
        return json.dumps(
            {
                "envelope_id": str(number),
                "type": "slash_commands",
                "accepts_response_payload": True,
                "payload": payload,
            }
        )

    async def _call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        self.calls[method] += 1
        body = await request.read()
        if self.latency_seconds:
            await asyncio.sleep(self.latency_seconds)
        answer = _ANSWERS.get(method, _nothing)(self, body)
        return web.Response(
            body=json.dumps({"ok": True, **answer}).encode(), content_type="application/json"
        )

    async def _respond(self, request: web.Request) -> web.Response:
        self.calls["response_url"] += 1
        await request.read()
        return web.Response(text="ok")

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        socket = self._socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connected_at = time.perf_counter()
        self._connected.set()
        await socket.send_str(json.dumps({"type": "hello", "num_connections": 1}))
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                self._acknowledge(json.loads(frame.data)["envelope_id"])
        return socket

    def _acknowledge(self, envelope: str) -> None:
        exchange = self._unacked.pop(envelope)
        exchange.acked_at = time.perf_counter()
        exchange.acked.set()

    def post(self, body: bytes) -> dict[str, Any]:
        """Take a message: it answers the oldest command of its channel."""
        channel = json.loads(body)["channel"]
        if self._unposted[channel]:
            exchange = self._unposted[channel].popleft()
            exchange.posted_at = time.perf_counter()
            exchange.posted.set()
        return {"channel": channel, "ts": f"1700000000.{next(self._ids):06d}"}

    def auth_test(self, body: bytes) -> dict[str, Any]:
        """Return the app's identity."""
        del body
        return {"url": self.url, "team_id": TEAM, "user_id": BOT, "bot_id": "B0BENCH"}

    def open_connection(self, body: bytes) -> dict[str, Any]:
        """Return the WebSocket URL."""
        del body
        return {"url": self.url.replace("http", "ws", 1) + "link"}


def _nothing(slack: Slack, body: bytes) -> dict[str, Any]:
    del slack, body
    return {}


_ANSWERS: dict[str, Callable[[Slack, bytes], dict[str, Any]]] = {
    "auth.test": Slack.auth_test,
    "apps.connections.open": Slack.open_connection,
    "chat.postMessage": Slack.post,
}
