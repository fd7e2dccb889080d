"""The launcher runs the bot with a disabled safeguard or a skewed clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from unittest.mock import create_autospec

import pytest
from typer.testing import CliRunner

from bot.cli.serve import run_bot
from chaos import launcher
from chaos.safeguards import Safeguard, disable
from chaos.skewed_clock import set_ahead

if TYPE_CHECKING:
    from pathlib import Path
    from unittest.mock import Mock

    from click.testing import Result


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """The call that would run the bot."""
    monkeypatch.setenv("JOBTHREAD_SLACK__BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("JOBTHREAD_SLACK__APP_TOKEN", "xapp-1")
    monkeypatch.setattr(launcher.logs, "configure", lambda: None)
    called: Mock = create_autospec(run_bot)
    monkeypatch.setattr(launcher, "run_bot", called)
    return called


@pytest.fixture
def disabled(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """The call that would disable a safeguard."""
    called: Mock = create_autospec(disable)
    monkeypatch.setattr(launcher, "disable", called)
    return called


def launch(*arguments: str) -> Result:
    """Run the launcher."""
    return CliRunner().invoke(launcher.app, arguments)


def test_bot_is_unchanged_without_options(started: Mock, disabled: Mock) -> None:
    """It runs by the system's clock, with all safeguards."""
    assert launch().exit_code == 0
    assert started.call_args.args[1] is None
    disabled.assert_not_called()


def test_break_disables_one_safeguard_and_says_so(started: Mock, disabled: Mock) -> None:
    """Before the bot is started."""
    result = launch("--break", "cas")
    assert result.output == "The safeguard cas is disabled.\n"
    disabled.assert_called_once_with(Safeguard.CAS)
    started.assert_called_once()


def test_clock_is_as_far_ahead_as_the_file_says(
    started: Mock, disabled: Mock, tmp_path: Path
) -> None:
    """The safeguards stay."""
    set_ahead(tmp_path / "ahead", 3600.0)
    launch("--clock", str(tmp_path / "ahead"))
    off = started.call_args.args[1].now() - datetime.now(UTC) - timedelta(hours=1)
    assert abs(off.total_seconds()) < 1
    disabled.assert_not_called()


def test_unknown_safeguard_is_refused(started: Mock) -> None:
    """A run with a typing error must not pass as one without the safeguard."""
    assert launch("--break", "luck").exit_code == 2
    started.assert_not_called()
