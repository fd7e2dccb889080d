"""The clock of a bot that is tried by the proof can be set wrong while it runs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.sdk.clock import SystemClock
from bot.skew import VARIABLE, SkewedClock, set_ahead, system_clock


def test_a_clock_that_is_set_while_it_runs_shows_it_at_once(tmp_path: Path) -> None:
    """Forward and back, as an operator or a time server does."""
    file = tmp_path / "ahead"
    set_ahead(file, 0.0)
    clock = SkewedClock(file)
    for hours in (0, 1, -1, 0):
        set_ahead(file, hours * 3600.0)
        off = clock.now() - datetime.now(UTC) - timedelta(hours=hours)
        assert abs(off.total_seconds()) < 1


def test_in_operation_the_clock_is_the_machine_s_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Only the variable changes that."""
    monkeypatch.delenv(VARIABLE, raising=False)
    assert type(system_clock()) is SystemClock
    set_ahead(tmp_path / "ahead", 5.0)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "ahead"))
    assert isinstance(system_clock(), SkewedClock)
