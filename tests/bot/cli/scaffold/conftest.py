"""A plugin written by `jobthread new-plugin`."""

from pathlib import Path

import pytest

from bot.cli.scaffold import package as scaffold


@pytest.fixture(scope="session")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a new, unchanged plugin."""
    return scaffold.write("acme", tmp_path_factory.mktemp("new") / "jobthread-acme")
