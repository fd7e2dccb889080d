"""HTTP server: health, status, metrics, events."""

from __future__ import annotations

import io
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot import status
from bot.sdk.errors import SettingsError, StoreError
from bot.settings import WebSettings
from bot.slack import metrics
from bot.slack.http_server import (
    EVENTS_PATH,
    HEALTH_PATH,
    MAX_REQUEST_BYTES,
    METRICS_PATH,
    STATUS_PATH,
    HttpServer,
    status_url,
)
from bot.status import LiveStatus, StoredStatus
from bot.store import WatchState
from bot.store.metrics import QueueDepth

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.bot.slack.conftest import HttpHarness

pytestmark = pytest.mark.anyio

NOTHING = QueueDepth(0, None)
STORED = StoredStatus(
    at=datetime(2026, 11, 22, tzinfo=UTC),
    requests=NOTHING,
    messages=NOTHING,
    dead_letters=NOTHING,
    overdue=NOTHING,
    watches=dict.fromkeys(WatchState, 0),
)
LIVE = LiveStatus(connected=True)


async def read_status() -> tuple[StoredStatus, LiveStatus]:
    return STORED, LIVE


@asynccontextmanager
async def serving(*, health: bool | Exception = True) -> AsyncIterator[str]:
    """Run the server as in Socket Mode, and yield its URL."""

    async def healthy() -> bool:
        if isinstance(health, Exception):
            raise health
        return health

    async def read_status() -> tuple[StoredStatus, LiveStatus]:
        if isinstance(health, Exception):
            raise health
        return STORED, LIVE

    web = HttpServer(WebSettings(port=0), None, healthy, read_status)
    await web.open()
    try:
        yield f"http://127.0.0.1:{web.port}"
    finally:
        await web.close()


async def answered(url: str) -> tuple[int, object]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        is_json = response.content_type == "application/json"
        return response.status, await response.json() if is_json else None


async def test_healthy_bot_answers_200() -> None:
    """A health check gets 200."""
    async with serving() as url:
        assert await answered(url + HEALTH_PATH) == (200, {"ok": True})


@pytest.mark.parametrize("health", [False, StoreError("The disk under the database is full.")])
async def test_unhealthy_bot_answers_503(health: bool | Exception) -> None:  # noqa: FBT001
    """Without a connection or a usable store; no details."""
    async with serving(health=health) as url:
        assert await answered(url + HEALTH_PATH) == (503, {"ok": False})


async def test_port_in_use_is_a_settings_error() -> None:
    """The sentence names the settings to change."""
    async with serving() as url:
        taken = HttpServer(
            WebSettings(port=int(url.rpartition(":")[2])), None, _not_called, read_status
        )
        with pytest.raises(SettingsError, match="cannot be listened on"):
            await taken.open()


async def _not_called() -> bool:
    raise AssertionError


async def test_events_path_is_missing_in_socket_mode() -> None:
    """Slack sends no HTTP requests then."""
    async with (
        serving() as url,
        aiohttp.ClientSession() as session,
        session.post(url + EVENTS_PATH, data="{}") as response,
    ):
        assert response.status == 404


async def test_too_long_http_request_is_rejected(harness: HttpHarness) -> None:
    """Before the signature is checked, without filling the memory."""
    body = io.BytesIO(b" " * (MAX_REQUEST_BYTES + 1))
    async with (
        aiohttp.ClientSession() as session,
        session.post(harness.url + EVENTS_PATH, data=body) as response,
    ):
        assert response.status == 413


async def test_status_is_served_as_json() -> None:
    """Numbers and names of connections; no texts of requests."""
    async with serving() as url:
        code, body = await answered(url + STATUS_PATH)
    assert code == 200
    assert body == status.as_json(STORED, LIVE)


async def test_metrics_are_served_in_prometheus_format() -> None:
    """With Prometheus' content type."""
    async with (
        serving() as url,
        aiohttp.ClientSession() as session,
        session.get(url + METRICS_PATH) as response,
    ):
        body, content_type = metrics.exposition(STORED, LIVE, "*/*")
        assert response.headers["Content-Type"] == content_type
        assert await response.read() == body


@pytest.mark.parametrize("path", [STATUS_PATH, METRICS_PATH])
async def test_status_and_metrics_need_a_store(path: str) -> None:
    """A scraper sees a failure, not zeros."""
    async with serving(health=StoreError("The disk under the database is full.")) as url:
        assert (await answered(url + path))[0] == 503


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:9000/status"),
        ("0.0.0.0", "http://127.0.0.1:9000/status"),  # noqa: S104  nothing is bound
        ("::", "http://[::1]:9000/status"),
    ],
)
def test_status_url_of_a_wildcard_address_is_loopback(host: str, address: str) -> None:
    """A wildcard address cannot be called."""
    assert status_url(WebSettings(host=host, port=9000)) == address


def test_socket_mode_needs_a_server_only_with_a_port() -> None:
    """The bot opens no port that it does not need."""

    async def health() -> bool:
        return True

    assert not HttpServer(WebSettings(), None, health, read_status).enabled
    assert HttpServer(WebSettings(port=0), None, health, read_status).enabled


async def test_server_that_was_never_opened_can_be_closed() -> None:
    """And has no port."""

    async def health() -> bool:
        return True

    web = HttpServer(WebSettings(), None, health, read_status)
    await web.close()
    assert web.port == 0
