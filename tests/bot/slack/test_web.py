"""The bot's own HTTP server."""

from __future__ import annotations

import io
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot import backlog
from bot.backlog import Backlog, Live
from bot.errors import SettingsError, StoreError
from bot.settings import WebSettings
from bot.slack.web import (
    EVENTS_PATH,
    EXPOSITION,
    HEALTH_PATH,
    LARGEST_REQUEST,
    METRICS_PATH,
    STATUS_PATH,
    Web,
    status_url,
)
from bot.store import WatchState
from bot.store.gauges import Waiting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.bot.slack.conftest import Door

pytestmark = pytest.mark.anyio

NOTHING = Waiting(0, None)
BACKLOG = Backlog(
    at=datetime(2026, 11, 22, tzinfo=UTC),
    questions=NOTHING,
    messages=NOTHING,
    parked=NOTHING,
    overdue=NOTHING,
    watches=dict.fromkeys(WatchState, 0),
)
LIVE = Live(connected=True)


async def standing() -> tuple[Backlog, Live]:
    return BACKLOG, LIVE


@asynccontextmanager
async def serving(*, well: bool | Exception = True) -> AsyncIterator[str]:
    """Serve the health alone, as in Socket Mode, and give the server's address."""

    async def healthy() -> bool:
        if isinstance(well, Exception):
            raise well
        return well

    async def standing() -> tuple[Backlog, Live]:
        if isinstance(well, Exception):
            raise well
        return BACKLOG, LIVE

    web = Web(WebSettings(port=0), None, healthy, standing)
    await web.open()
    try:
        yield f"http://127.0.0.1:{web.port}"
    finally:
        await web.close()


async def answered(url: str) -> tuple[int, object]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        is_json = response.content_type == "application/json"
        return response.status, await response.json() if is_json else None


async def test_a_bot_that_is_well_says_so() -> None:
    """A health check gets 200."""
    async with serving() as url:
        assert await answered(url + HEALTH_PATH) == (200, {"ok": True})


@pytest.mark.parametrize("well", [False, StoreError("The disk under the database is full.")])
async def test_a_bot_that_is_not_well_says_so(well: bool | Exception) -> None:  # noqa: FBT001
    """Unconnected, or with a store that cannot be used, it answers 503 and tells no details."""
    async with serving(well=well) as url:
        assert await answered(url + HEALTH_PATH) == (503, {"ok": False})


async def test_a_port_that_is_taken_is_told_as_a_setting_to_change() -> None:
    """Whoever starts a second bot reads a sentence."""
    async with serving() as url:
        taken = Web(WebSettings(port=int(url.rpartition(":")[2])), None, _never_asked, standing)
        with pytest.raises(SettingsError, match="cannot be listened on"):
            await taken.open()


async def _never_asked() -> bool:
    raise AssertionError


async def test_in_socket_mode_nothing_but_the_health_is_served() -> None:
    """There is no door to knock at."""
    async with (
        serving() as url,
        aiohttp.ClientSession() as session,
        session.post(url + EVENTS_PATH, data="{}") as response,
    ):
        assert response.status == 404


async def test_a_request_that_is_too_long_is_refused(door: Door) -> None:
    """Nobody fills our memory before the signature is checked."""
    body = io.BytesIO(b" " * (LARGEST_REQUEST + 1))
    async with (
        aiohttp.ClientSession() as session,
        session.post(door.url + EVENTS_PATH, data=body) as response,
    ):
        assert response.status == 413


async def test_the_status_is_served_as_json() -> None:
    """Numbers and the names of connections, and nothing that anybody asked."""
    async with serving() as url:
        code, said = await answered(url + STATUS_PATH)
    assert code == 200
    assert said == backlog.as_json(BACKLOG, LIVE)


async def test_the_metrics_are_served_as_prometheus_reads_them() -> None:
    """Each with its type."""
    async with (
        serving() as url,
        aiohttp.ClientSession() as session,
        session.get(url + METRICS_PATH) as response,
    ):
        assert response.headers["Content-Type"] == EXPOSITION
        assert await response.text() == backlog.exposition(BACKLOG, LIVE)


@pytest.mark.parametrize("path", [STATUS_PATH, METRICS_PATH])
async def test_without_a_store_there_are_no_figures(path: str) -> None:
    """A scraper sees that they are missing, not noughts."""
    async with serving(well=StoreError("The disk under the database is full.")) as url:
        assert (await answered(url + path))[0] == 503


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:9000/status"),
        ("0.0.0.0", "http://127.0.0.1:9000/status"),  # noqa: S104  nothing is bound
        ("::", "http://[::1]:9000/status"),
    ],
)
def test_a_bot_that_listens_everywhere_is_asked_on_this_machine(host: str, address: str) -> None:
    """What can be listened on cannot always be called."""
    assert status_url(WebSettings(host=host, port=9000)) == address


def test_in_socket_mode_a_server_is_wanted_only_with_a_port() -> None:
    """A bot that needs no port opens none."""

    async def well() -> bool:
        return True

    assert not Web(WebSettings(), None, well, standing).wanted
    assert Web(WebSettings(port=0), None, well, standing).wanted


async def test_a_server_that_was_never_opened_can_be_closed() -> None:
    """And has no port."""

    async def well() -> bool:
        return True

    web = Web(WebSettings(), None, well, standing)
    await web.close()
    assert web.port == 0
