"""What every test may lean on: one event loop's flavour, and no deadline but the whole run's."""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING

import hypothesis
import pytest

from bot import logs

if TYPE_CHECKING:
    from collections.abc import Iterator

hypothesis.settings.register_profile("house", deadline=None)  # a busy machine is no bug
hypothesis.settings.load_profile("house")


LARGER = ("browser", "postgres", "proof", "whole")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs neither a loop nor a process: `make unit` runs just that."""
    for item in items:
        assert isinstance(item, pytest.Function)
        alone = "anyio_backend" not in item.fixturenames
        if alone and not any(item.get_closest_marker(name) for name in LARGER):
            item.add_marker(pytest.mark.unit)


@pytest.fixture
def anyio_backend() -> str:
    """Slack's SDK is asyncio only, so that is what the tests run on."""
    return "asyncio"


@pytest.fixture
def log_output(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Configure the log as `jobthread serve` does, and give what it writes."""
    written, root = io.StringIO(), logging.getLogger()
    with monkeypatch.context() as patch:
        patch.setattr("sys.stderr", written)
        patch.setattr(root, "handlers", [])
        levels = {name: logging.getLogger(name).level for name in (None, *logs.CHATTY)}
        logs.configure()
        yield written
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
