"""Public names and imports of the testing kit."""

import subprocess
import sys

import pytest

import bot.sdk.testing


def test_every_exported_name_exists() -> None:
    """Also those that are imported on first use."""
    assert all(getattr(bot.sdk.testing, name) for name in bot.sdk.testing.__all__)


@pytest.mark.whole
def test_simulators_do_not_import_pytest() -> None:
    """The demo runs where pytest is not installed."""
    program = "import sys; sys.modules['pytest'] = None; import plugins.servicestage.simulator"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
