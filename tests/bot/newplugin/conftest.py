"""A plugin as `jobthread new-plugin` writes it."""

from pathlib import Path

import pytest

from bot import newplugin


@pytest.fixture(scope="session")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a new plugin, as it was written."""
    return newplugin.write("acme", tmp_path_factory.mktemp("new") / "jobthread-acme")
