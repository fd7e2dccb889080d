"""Fixtures and settings for all tests."""

from __future__ import annotations

import io
import logging
import re
from typing import TYPE_CHECKING

import hypothesis
import pytest

from bot import logs
from bot.sdk.backoff import JITTER
from tests.harness import BotHarness, bot_harness

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

# No deadline: a slow machine must not fail a test. `--hypothesis-profile thorough` tries 20
# times the examples in every property test that sets no number of its own.
hypothesis.settings.register_profile("default", max_examples=25, deadline=None)
hypothesis.settings.register_profile("thorough", max_examples=500, deadline=None)
hypothesis.settings.load_profile("default")

SLOW_MARKERS = ("browser", "official_sdks", "postgres", "proof", "whole")
_SYNC_TEST = re.compile(r"^ *def test_", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not import modules that have only asynchronous tests for `-m unit`: it takes seconds."""
    if config.getoption("markexpr") != "unit" or not collection_path.match("test_*.py"):
        return None
    has_sync_test = _SYNC_TEST.search(collection_path.read_text("utf-8"))
    return None if has_sync_test else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that need neither an event loop nor a process as `unit`, for `make unit`."""
    for item in items:
        assert isinstance(item, pytest.Function)
        is_sync = "anyio_backend" not in item.fixturenames
        if is_sync and not any(item.get_closest_marker(name) for name in SLOW_MARKERS):
            item.add_marker(pytest.mark.unit)


@pytest.fixture(autouse=True)
def _longest_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every retry wait for its longest delay, so that no test depends on chance."""
    monkeypatch.setattr(JITTER, "random", lambda: 1.0)


@pytest.fixture
def anyio_backend() -> str:
    """Run the tests on asyncio, the only loop that Slack's SDK supports."""
    return "asyncio"


@pytest.fixture
def log_output(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Configure logging like `jobthread serve`, and return its output."""
    written, root = io.StringIO(), logging.getLogger()
    with monkeypatch.context() as patch:
        patch.setattr("sys.stderr", written)
        patch.setattr(root, "handlers", [])
        levels = {name: logging.getLogger(name).level for name in (None, *logs.VERBOSE_LOGGERS)}
        logs.configure()
        yield written
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BotHarness]:
    """A running bot with default settings."""
    async with bot_harness(tmp_path) as running:
        yield running
