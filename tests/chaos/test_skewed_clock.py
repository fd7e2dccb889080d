"""The bot's clock can be set while it runs, by another process."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from chaos.skewed_clock import SkewedClock, set_ahead


def test_clock_follows_its_file_while_it_runs(tmp_path: Path) -> None:
    """Forward and back, as an operator or a time server sets it."""
    file = tmp_path / "ahead"
    set_ahead(file, 0.0)
    clock = SkewedClock(file)
    for hours in (0, 1, -1, 0):
        set_ahead(file, hours * 3600.0)
        off = clock.now() - datetime.now(UTC) - timedelta(hours=hours)
        assert abs(off.total_seconds()) < 1
