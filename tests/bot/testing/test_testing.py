"""What `bot.testing` offers, and what it costs."""

import subprocess
import sys

import bot.testing


def test_it_offers_what_it_says() -> None:
    """Every exported name is there."""
    assert all(getattr(bot.testing, name) for name in bot.testing.__all__)


def test_what_simulators_need_does_not_need_pytest() -> None:
    """The demo runs where pytest is not installed."""
    program = "import sys; sys.modules['pytest'] = None; import plugins.servicestage.simulator"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
