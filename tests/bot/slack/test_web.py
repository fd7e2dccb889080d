"""The bot's own HTTP server."""

from __future__ import annotations

import io
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.errors import SettingsError, StoreError
from bot.settings import WebSettings
from bot.slack.web import EVENTS_PATH, HEALTH_PATH, LARGEST_REQUEST, Web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.bot.slack.conftest import Door

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def serving(*, well: bool | Exception = True) -> AsyncIterator[str]:
    """Serve the health alone, as in Socket Mode, and give the server's address."""

    async def healthy() -> bool:
        if isinstance(well, Exception):
            raise well
        return well

    web = Web(WebSettings(port=0), None, healthy)
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
        taken = Web(WebSettings(port=int(url.rpartition(":")[2])), None, _never_asked)
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


def test_in_socket_mode_a_server_is_wanted_only_with_a_port() -> None:
    """A bot that needs no port opens none."""

    async def well() -> bool:
        return True

    assert not Web(WebSettings(), None, well).wanted
    assert Web(WebSettings(port=0), None, well).wanted


async def test_a_server_that_was_never_opened_can_be_closed() -> None:
    """And has no port."""

    async def well() -> bool:
        return True

    web = Web(WebSettings(), None, well)
    await web.close()
    assert web.port == 0
